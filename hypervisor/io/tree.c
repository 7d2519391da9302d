// SPDX-License-Identifier: MIT
/*
 * The nodes of one domain's store, as records packed in a few pages of its own.
 *
 * A node is found by its whole path: there are some dozens of them, and they are looked for some
 * dozens of times in a domain's life. Writing takes the old record out and appends the new one to
 * the first page with room. A node exists only if the one above it does.
 */
#include <hv/tree.h>
#include <hv/frame.h>
#include <hv/printk.h>
#include <hv/string.h>

#define ALIGN 4

static struct node *first(const struct tree *t, unsigned int page)
{
	return t->page[page] ? (struct node *)t->page[page] : NULL;
}

static struct node *next(struct node *n)
{
	return (struct node *)((u8 *)n + n->size);
}

#define for_each_node(t, page, n)                                                                  \
	for (unsigned int page = 0; page < TREE_PAGES; page++)                                     \
		for (struct node *n = first(t, page); n && n->size; n = next(n))

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '@' || c == ':';
}

bool tree_path_ok(const char *path)
{
	size_t n = strlen(path);

	if (path[0] != '/' || n >= TREE_PATH_MAX || path[n - 1] == '/')
		return n == 1 && path[0] == '/';
	for (size_t i = 0; i < n; i++)
		if (path[i] == '/' ? path[i + 1] == '/' : !name_char(path[i]))
			return false;
	return true;
}

bool tree_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	if (n == 1 && top[0] == '/')
		return true;
	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static struct node *find(const struct tree *t, const char *path)
{
	size_t len = strlen(path);

	for_each_node(t, page,
		      n) if (n->path_len == len && memcmp(n->text, path, len) == 0) return n;
	return NULL;
}

const struct node *tree_find(const struct tree *t, const char *path)
{
	return find(t, path);
}

/* The rest of its page moves up; the record that ends it, with size 0, comes along. */
static void take_out(struct node *n)
{
	u8 *end = (u8 *)(((u64)n & PAGE_MASK) + PAGE_SIZE);
	u8 *rest = (u8 *)next(n);
	size_t size = n->size;

	memmove(n, rest, (size_t)(end - rest));
	memset(end - size, 0, size);
}

static u32 used(const struct tree *t, unsigned int page)
{
	struct node *n = first(t, page);

	while (n->size)
		n = next(n);
	return (u32)((u8 *)n - t->page[page]);
}

static int append(struct tree *t, struct domain *d, const char *path, const void *value, u32 len)
{
	u32 path_len = (u32)strlen(path);
	u32 size = (u32)sizeof(struct node) + path_len + 1 + len + 1;

	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	for (unsigned int page = 0; page < TREE_PAGES; page++) {
		struct node *n;
		u32 at;

		if (!t->page[page])
			t->page[page] = domain_page_alloc(d);
		if (!t->page[page])
			return trace_error(-ENOSPC);
		at = used(t, page);
		if (at + size + sizeof(struct node) > PAGE_SIZE)
			continue;
		n = (struct node *)(t->page[page] + at);
		*n = (struct node){(u16)size, (u16)path_len, (u16)len};
		memcpy(n->text, path, path_len + 1);
		memcpy(n->text + path_len + 1, value, len);
		n->text[path_len + 1 + len] = '\0';
		return 0;
	}
	return trace_error(-ENOSPC);
}

/* What is missing above path; a node made for nothing, as there is no room below, stays. */
static int make_parents(struct tree *t, struct domain *d, const char *path)
{
	char parent[TREE_PATH_MAX];

	for (size_t i = 1; path[i]; i++) {
		int rc = 0;

		if (path[i] != '/')
			continue;
		memcpy(parent, path, i);
		parent[i] = '\0';
		if (!find(t, parent))
			rc = append(t, d, parent, "", 0);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int tree_write(struct tree *t, struct domain *d, const char *path, const void *value, u32 len)
{
	struct node *old = find(t, path);
	int rc = 0;

	if (len > TREE_VALUE_MAX)
		return trace_error(-E2BIG);
	t->generation++;
	if (old && old->value_len == len) {
		memcpy(old->text + old->path_len + 1, value, len);
		return 0;
	}
	if (!old)
		rc = make_parents(t, d, path);
	if (rc == 0)
		rc = append(t, d, path, value, len);
	if (rc == 0 && old)
		take_out(old);
	return rc;
}

void tree_remove(struct tree *t, const char *path)
{
	t->generation++;
	for (unsigned int page = 0; page < TREE_PAGES; page++) {
		struct node *n = first(t, page);

		while (n && n->size) {
			if (tree_below(n->text, path))
				take_out(n);
			else
				n = next(n);
		}
	}
}

int tree_list(const struct tree *t, const char *path, char *out, u32 size)
{
	size_t top = strlen(path) == 1 ? 0 : strlen(path);
	u32 len = 0;

	if (top && !find(t, path))
		return trace_error(-ENOENT);
	for_each_node(t, page, n)
	{
		const char *name = n->text + top + 1;
		u32 name_len = (u32)strlen(n->text) - (u32)top;

		if (n->path_len <= top || !tree_below(n->text, top ? path : "/"))
			continue;
		for (const char *s = name; *s; s++)
			if (*s == '/')
				name_len = 0; /* of a deeper one */
		if (!name_len)
			continue;
		if (name_len > size - len)
			return trace_error(-E2BIG);
		memcpy(out + len, name, name_len);
		len += name_len;
	}
	return (int)len;
}

int tree_copy(struct tree *to, struct domain *d, const struct tree *from)
{
	for (unsigned int page = 0; page < TREE_PAGES; page++) {
		if (!from->page[page])
			continue;
		if (!to->page[page])
			to->page[page] = domain_page_alloc(d);
		if (!to->page[page])
			return trace_error(-ENOMEM);
		memcpy(to->page[page], from->page[page], PAGE_SIZE);
	}
	to->generation = from->generation;
	return 0;
}

void tree_free(struct tree *t, struct domain *d)
{
	for (unsigned int page = 0; page < TREE_PAGES; page++) {
		if (!t->page[page])
			continue;
		page_free(t->page[page]);
		d->state_frames--;
		t->page[page] = NULL;
	}
}

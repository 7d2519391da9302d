// SPDX-License-Identifier: MIT
/*
 * The store: the xenstore protocol over the ring that each domain has with us.
 *
 * Each domain has a tree of its own, which holds its directory /local/domain/<id> and those of its
 * back ends; no domain sees another's. What lies in its directory is the guest's to change, the
 * rest it may only read. All of it is counted: nodes fill at most TREE_PAGES pages, watches one,
 * a transaction works on a copy, of which there are NR_TRANSACTIONS.
 */
#include <hv/store.h>
#include <hv/build.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/page_type.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/tree.h>
#include <hv/wire.h>

#define NR_TRANSACTIONS 4
#define NR_LISTENERS	4
#define TOKEN_MAX	96

/* A page; path and token as the guest gave them. */
struct watch {
	u16 size; /* of all of it; 0: the page ends here */
	u16 path_len;
	char text[]; /* path, NUL, token, NUL */
};

struct transaction {
	u32 id; /* 0: free */
	u32 began;
	struct tree tree;
	char
	    *changed; /* a page of paths, each with its NUL; one that was removed begins with '-' */
	u32 changed_len;
};

struct store {
	struct wire wire;
	u32 last_transaction;
	u8 *watches;
	struct tree tree;
	struct transaction transaction[NR_TRANSACTIONS];
	char *telling; /* changes of the last one that was committed, up to `told` watches know them */
	u32 told, telling_len;
};

static_assert(sizeof(struct store) <= PAGE_SIZE, "a store's state fits a page");

static struct {
	const char *top;
	void (*fn)(struct domain *d);
} listeners[NR_LISTENERS];

void store_on_write(const char *top, void (*fn)(struct domain *d))
{
	for (unsigned int i = 0; i < NR_LISTENERS; i++) {
		if (listeners[i].fn == fn)
			return;
		if (!listeners[i].fn) {
			listeners[i].top = top;
			listeners[i].fn = fn;
			return;
		}
	}
	panic("more listeners than the store has room for\n");
}

static size_t home(const struct domain *d, char *path)
{
	return format(path, TREE_PATH_MAX, "/local/domain/%u", d->id);
}

/* False if the path is no path, or too long. Names with '@' are watched, and never exist. */
static bool absolute(const struct domain *d, const char *s, char *path)
{
	size_t n = 0;

	if (s[0] == '@')
		return str_copy(path, s, TREE_PATH_MAX) < TREE_PATH_MAX;
	if (s[0] != '/') {
		n = home(d, path);
		path[n++] = '/';
	}
	return str_copy(path + n, s, TREE_PATH_MAX - n) < TREE_PATH_MAX - n && tree_path_ok(path);
}

#define for_each_watch(s, w)                                                                       \
	for (struct watch *w = (struct watch *)(s)->watches; w->size;                              \
	     w = (struct watch *)((u8 *)w + w->size))

/* Tells d's watches that path has changed, spelled as they are: relative or not. */
static void fire(struct domain *d, const char *path, bool removed)
{
	char top[TREE_PATH_MAX];
	size_t n = home(d, top);
	const char *below = tree_below(path, top) && path[n] ? path + n + 1 : NULL;

	for_each_watch(d->store, w)
	{
		const char *spelled = w->text[0] == '/' ? path : below;

		if (!spelled)
			continue;
		if (tree_below(spelled, w->text))
			wire_event(&d->store->wire, spelled, w->text + w->path_len + 1);
		else if (removed && tree_below(w->text, spelled))
			wire_event(&d->store->wire, w->text, w->text + w->path_len + 1);
	}
}

static void tell_listeners(struct domain *d, const char *path)
{
	char top[TREE_PATH_MAX];
	size_t n = home(d, top);

	top[n++] = '/';
	for (unsigned int i = 0; i < NR_LISTENERS && listeners[i].fn; i++) {
		str_copy(top + n, listeners[i].top, sizeof(top) - n);
		if (tree_below(path, top) || tree_below(top, path))
			listeners[i].fn(d);
	}
}

/* Requests: each returns 0, or the error that the guest is told by name. */

static int ok(struct store *s)
{
	wire_answer(&s->wire, "OK", sizeof("OK"));
	return 0;
}

static void answer_error(struct store *s, int error)
{
	const char *name = "EIO";

	for (unsigned int i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (xsd_errors[i].errnum == error)
			name = xsd_errors[i].errstring;
	wire_answer(&s->wire, name, (u32)strlen(name) + 1);
	s->wire.answer->head.type = XS_ERROR;
}

/* The string at *at of the request, and moves on behind it; NULL if it does not end. */
static const char *take_string(struct store *s, u32 *at)
{
	u32 len = s->wire.request->head.len;
	const char *string = s->wire.request->body + *at;

	for (u32 i = *at; i < len; i++) {
		if (s->wire.request->body[i] == '\0') {
			*at = i + 1;
			return string;
		}
	}
	return NULL;
}

static struct transaction *transaction_of(struct store *s)
{
	for (unsigned int i = 0; i < NR_TRANSACTIONS; i++)
		if (s->wire.request->head.tx_id &&
		    s->transaction[i].id == s->wire.request->head.tx_id)
			return &s->transaction[i];
	return NULL;
}

static void end_transaction(struct domain *d, struct transaction *t)
{
	tree_free(&t->tree, d);
	if (t->changed) {
		page_free(t->changed);
		d->state_frames--;
	}
	memset(t, 0, sizeof(*t));
}

/* Notes a change for the end of its transaction; false if there were too many. */
static bool note(struct transaction *t, const char *path, bool removed)
{
	u32 n = (u32)strlen(path) + 1;

	if (n + removed > PAGE_SIZE - t->changed_len)
		return false;
	if (removed)
		t->changed[t->changed_len++] = '-';
	memcpy(t->changed + t->changed_len, path, n);
	t->changed_len += n;
	return true;
}

static int changed(struct domain *d, struct transaction *t, const char *path, bool removed)
{
	if (t)
		return note(t, path, removed) ? 0 : trace_error(-ENOSPC);
	fire(d, path, removed);
	tell_listeners(d, path);
	return 0;
}

/* A guest's own are the nodes below its directory. */
static int may_change(const struct domain *d, const char *path)
{
	char top[TREE_PATH_MAX];
	size_t n = home(d, top);

	return tree_below(path, top) && path[n] == '/' ? 0 : trace_error(-EACCES);
}

static int do_list(struct store *s, struct tree *t, const char *path)
{
	int len = tree_list(t, path, s->wire.answer->body, BODY_MAX);

	if (len < 0)
		return len;
	wire_answer(&s->wire, s->wire.answer->body, (u32)len);
	return 0;
}

static int do_read(struct store *s, struct tree *t, const char *path)
{
	const struct node *n = tree_find(t, path);

	if (!n)
		return trace_error(-ENOENT);
	wire_answer(&s->wire, node_value(n), n->value_len);
	return 0;
}

static int do_permissions(struct domain *d, struct tree *t, const char *path)
{
	char text[24];

	if (!tree_find(t, path))
		return trace_error(-ENOENT);
	if (may_change(d, path) == 0)
		format(text, sizeof(text), "n%u", d->id);
	else
		format(text, sizeof(text), "r0");
	wire_answer(&d->store->wire, text, (u32)strlen(text) + 1);
	return 0;
}

/* WRITE, MKDIR, RM, SET_PERMS: what changes a node. */
static int do_change(struct domain *d, struct tree *tree, struct transaction *t, const char *path,
		     u32 at)
{
	struct store *s = d->store;
	u32 type = s->wire.request->head.type;
	bool exists = tree_find(tree, path);
	int rc = may_change(d, path);

	if (rc < 0)
		return rc;
	if (type == XS_SET_PERMS)
		return exists ? ok(s) : trace_error(-ENOENT);
	if (type == XS_RM && !exists)
		return trace_error(-ENOENT);
	if (type == XS_MKDIR && exists)
		return ok(s);
	if (type == XS_RM)
		tree_remove(tree, path);
	else
		rc = tree_write(tree, d, path, s->wire.request->body + at,
				type == XS_MKDIR ? 0 : s->wire.request->head.len - at);
	if (rc < 0)
		return rc;
	ok(s);
	return changed(d, t, path, type == XS_RM);
}

static struct watch *find_watch(struct store *s, const char *path, const char *token)
{
	for_each_watch(s, w) if (strcmp(w->text, path) == 0 &&
				 strcmp(w->text + w->path_len + 1, token) == 0) return w;
	return NULL;
}

static int do_watch(struct domain *d, const char *path, const char *token)
{
	struct store *s = d->store;
	u32 path_len = (u32)strlen(path), token_len = (u32)strlen(token);
	u32 size = (u32)(sizeof(struct watch) + path_len + token_len + 2 + 1) & ~1u;
	struct watch *w = (struct watch *)s->watches;

	if (token_len > TOKEN_MAX)
		return trace_error(-EINVAL);
	if (find_watch(s, path, token))
		return trace_error(-EEXIST);
	while (w->size)
		w = (struct watch *)((u8 *)w + w->size);
	if ((u64)((u8 *)w - s->watches) + size + sizeof(*w) > PAGE_SIZE)
		return trace_error(-ENOSPC);
	*w = (struct watch){(u16)size, (u16)path_len};
	memcpy(w->text, path, path_len + 1);
	memcpy(w->text + path_len + 1, token, token_len + 1);
	ok(s);
	wire_event(&s->wire, path, token);
	return 0;
}

static int do_unwatch(struct store *s, const char *path, const char *token)
{
	struct watch *w = find_watch(s, path, token);
	u8 *end = s->watches + PAGE_SIZE, *rest;
	u16 size;

	if (!w)
		return trace_error(-ENOENT);
	size = w->size;
	rest = (u8 *)w + size;
	memmove(w, rest, (size_t)(end - rest));
	memset(end - size, 0, size);
	return ok(s);
}

static int do_transaction_start(struct domain *d)
{
	struct store *s = d->store;
	struct transaction *t = s->transaction;
	char text[12];

	while (t < s->transaction + NR_TRANSACTIONS && t->id)
		t++;
	if (t == s->transaction + NR_TRANSACTIONS || s->wire.request->head.tx_id)
		return trace_error(-EBUSY);
	t->changed = domain_page_alloc(d);
	if (!t->changed || tree_copy(&t->tree, d, &s->tree) < 0) {
		end_transaction(d, t);
		return trace_error(-ENOMEM);
	}
	if (!++s->last_transaction)
		s->last_transaction = 1;
	t->id = s->last_transaction;
	t->began = s->tree.generation;
	format(text, sizeof(text), "%u", t->id);
	wire_answer(&s->wire, text, (u32)strlen(text) + 1);
	return 0;
}

/* The copy becomes the tree; -EAGAIN if that has changed meanwhile: the guest does it all again. */
static int do_transaction_end(struct domain *d, const char *verdict)
{
	struct store *s = d->store;
	struct transaction *t = transaction_of(s);
	struct transaction done;
	bool commit = strcmp(verdict, "T") == 0;

	if (!t)
		return trace_error(-ENOENT);
	if (!commit && strcmp(verdict, "F") != 0)
		return trace_error(-EINVAL);
	if (commit && t->changed_len && t->began != s->tree.generation) {
		end_transaction(d, t);
		return trace_error(-EAGAIN);
	}
	done = *t;
	if (commit && t->changed_len) {
		done.tree = s->tree;
		s->tree = t->tree;
	}
	if (commit) {
		s->telling = t->changed;
		s->telling_len = t->changed_len;
		s->told = 0;
		done.changed = NULL;
	}
	memset(t, 0, sizeof(*t));
	end_transaction(d, &done);
	return ok(s);
}

/*
 * Tells of the next change of the transaction that was committed. There may be hundreds of them,
 * and of watches, so it is a piece of work like a request. False if all are told.
 */
static bool tell_next(struct domain *d)
{
	struct store *s = d->store;
	const char *path = s->telling + s->told;

	if (s->told < s->telling_len) {
		s->told += (u32)strlen(path) + 1;
		changed(d, NULL, path + (*path == '-'), *path == '-');
		return true;
	}
	if (s->telling) {
		page_free(s->telling);
		d->state_frames--;
		s->telling = NULL;
		s->told = s->telling_len = 0;
	}
	return false;
}

static int do_domain(struct domain *d, const char *number)
{
	bool path = d->store->wire.request->head.type == XS_GET_DOMAIN_PATH;
	char text[32];
	u64 id;

	if (!str_to_u64(&number, &id) || *number || id > 0xffff)
		return trace_error(-EINVAL);
	format(text, sizeof(text), path ? "/local/domain/%u" : "%c",
	       path ? (unsigned int)id : (unsigned int)(id == d->id || id == 0 ? 'T' : 'F'));
	wire_answer(&d->store->wire, text, (u32)strlen(text) + 1);
	return 0;
}

static int carry_out(struct domain *d)
{
	struct store *s = d->store;
	struct transaction *t = transaction_of(s);
	struct tree *tree = t ? &t->tree : &s->tree;
	u32 type = s->wire.request->head.type, at = 0;
	const char *first = take_string(s, &at);
	char path[TREE_PATH_MAX];

	if (!first || (s->wire.request->head.tx_id && !t))
		return trace_error(-EINVAL);
	switch (type) {
	case XS_TRANSACTION_START:
		return do_transaction_start(d);
	case XS_TRANSACTION_END:
		return do_transaction_end(d, first);
	case XS_GET_DOMAIN_PATH:
	case XS_IS_DOMAIN_INTRODUCED:
		return do_domain(d, first);
	case XS_RESET_WATCHES:
		memset(s->watches, 0, PAGE_SIZE);
		return ok(s);
	default:
		break;
	}
	if (!absolute(d, first, path))
		return trace_error(-EINVAL);
	switch (type) {
	case XS_READ:
		return do_read(s, tree, path);
	case XS_DIRECTORY:
		return do_list(s, tree, path);
	case XS_GET_PERMS:
		return do_permissions(d, tree, path);
	case XS_WRITE:
	case XS_MKDIR:
	case XS_RM:
	case XS_SET_PERMS:
		return do_change(d, tree, t, path, at);
	case XS_WATCH:
	case XS_UNWATCH: {
		const char *token = take_string(s, &at);

		if (!token)
			return trace_error(-EINVAL);
		return type == XS_WATCH ? do_watch(d, first, token) : do_unwatch(s, first, token);
	}
	default:
		return trace_error(-ENOSYS);
	}
}

static void handle(struct domain *d)
{
	struct store *s = d->store;
	int rc = -E2BIG;

	if (s->wire.request->head.len <= BODY_MAX)
		rc = carry_out(d);
	s->wire.received = 0;
	if (rc < 0)
		answer_error(s, -rc);
}

/* What the guest's event asks for. */
static bool serve(struct domain *d)
{
	struct store *s = d->store;
	bool timely = true, progress = false;

	while (wire_check(&s->wire, d->id) && wire_flush(&s->wire)) {
		if (!tell_next(d)) {
			if (!wire_receive(&s->wire, d->id))
				break;
			handle(d);
		}
		progress = true;
		if (sched_should_preempt()) {
			timely = false;
			break;
		}
	}
	wire_flush(&s->wire);
	/* It sleeps if nothing is there for it, or if its request did not fit the ring. */
	if (progress || (!s->wire.broken && wire_unread(&s->wire)))
		evtchn_set_pending(d, s->wire.port);
	return timely;
}

int store_write(struct domain *d, const char *path, const char *fmt, ...)
{
	char full[TREE_PATH_MAX], value[128];
	va_list args;
	int rc;

	va_start(args, fmt);
	vformat(value, sizeof(value), fmt, args);
	va_end(args);
	if (!absolute(d, path, full))
		return trace_error(-EINVAL);
	rc = tree_write(&d->store->tree, d, full, value, (u32)strlen(value));
	if (rc < 0)
		return rc;
	fire(d, full, false);
	if (d->store->wire.ring && d->store->wire.events_len) {
		wire_flush(&d->store->wire);
		evtchn_set_pending(d, d->store->wire.port);
	}
	return 0;
}

const char *store_read(struct domain *d, const char *path)
{
	char full[TREE_PATH_MAX];
	const struct node *n = absolute(d, path, full) ? tree_find(&d->store->tree, full) : NULL;

	return n ? node_value(n) : NULL;
}

bool store_read_u32(struct domain *d, const char *path, u32 *out)
{
	const char *s = store_read(d, path);
	u64 n;

	if (!s || !str_to_u64(&s, &n) || *s || n > 0xffffffff)
		return false;
	*out = (u32)n;
	return true;
}

int store_init(struct domain *d)
{
	struct store *s = domain_page_alloc(d);

	d->store = s;
	if (!s)
		return trace_error(-ENOMEM);
	s->wire.request = domain_page_alloc(d);
	s->watches = domain_page_alloc(d);
	if (!s->wire.request || !s->watches)
		return trace_error(-ENOMEM);
	s->wire.answer = s->wire.request + 1;
	return store_write(d, "domid", "%u", d->id);
}

int store_connect(struct domain *d, mfn_t ring, u32 *port)
{
	*port = evtchn_serve(d, serve);
	if (!*port)
		return trace_error(-ENOSPC);
	d->store->wire.port = *port;
	d->store->wire.ring = mfn_to_virt(ring);
	return page_get_type(d, ring, FT_WRITABLE);
}

bool store_release(struct domain *d)
{
	struct store *s = d->store;

	if (s->wire.ring)
		page_put_type(virt_to_mfn(s->wire.ring));
	for (unsigned int i = 0; i < NR_TRANSACTIONS; i++)
		end_transaction(d, &s->transaction[i]);
	if (s->telling)
		page_free(s->telling);
	tree_free(&s->tree, d);
	page_free(s->watches);
	page_free(s->wire.request);
	page_free(s);
	d->store = NULL;
	return true;
}

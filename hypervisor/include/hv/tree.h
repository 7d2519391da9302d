/* SPDX-License-Identifier: MIT */
/* A tree of named values: what the store holds for one domain. */
#ifndef HV_TREE_H
#define HV_TREE_H

#include <hv/domain.h>
#include <hv/types.h>

#define TREE_PAGES     4   /* so much memory may a domain's nodes take */
#define TREE_PATH_MAX  192 /* with its end */
#define TREE_VALUE_MAX 1024

struct node {
	u16 size; /* of all of it, with padding; 0: the page ends here */
	u16 path_len, value_len;
	char text[]; /* path, NUL, value, NUL */
};

struct tree {
	u8 *page[TREE_PAGES]; /* nodes, one after the other */
	u32 generation;	      /* changes whenever the tree does */
};

static inline const char *node_value(const struct node *n)
{
	return n->text + n->path_len + 1;
}

/* An absolute path in its one spelling: no empty parts, only what names may consist of. */
__must_check bool tree_path_ok(const char *path);

/* True if path is `top` or lies below it; both absolute, or both relative to the same node. */
bool tree_below(const char *path, const char *top);

/* The node at path; NULL if there is none. */
const struct node *tree_find(const struct tree *t, const char *path);

/* Writes a value, and makes what is missing above. -ENOSPC: the domain has used up its share. */
__must_check int tree_write(struct tree *t, struct domain *d, const char *path, const void *value,
			    u32 len);

/* Removes path and all below it. */
void tree_remove(struct tree *t, const char *path);

/* The names right below path, each with its NUL. Returns the length, -ENOENT or -E2BIG. */
__must_check int tree_list(const struct tree *t, const char *path, char *out, u32 size);

/* Makes *to the same as *from; -ENOMEM. */
__must_check int tree_copy(struct tree *to, struct domain *d, const struct tree *from);

void tree_free(struct tree *t, struct domain *d);

#endif

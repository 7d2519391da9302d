/* SPDX-License-Identifier: MIT */
/* Memory and string functions; the compiler may call the mem* ones on its own. */
#ifndef HV_STRING_H
#define HV_STRING_H

#include <hv/types.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* Copies at most size - 1 characters and always terminates; returns the length of src. */
size_t str_copy(char *dst, const char *src, size_t size);

/*
 * Parses an unsigned number (0x.. or decimal) at *s and moves *s past it.
 * Returns false, and leaves *out alone, if there is no digit or the value does not fit.
 */
__must_check bool str_to_u64(const char **s, u64 *out);

#endif

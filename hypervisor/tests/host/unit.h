/* SPDX-License-Identifier: MIT */
/* The smallest frame for a host unit: EXPECT counts, main returns nonzero if one failed. */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>

extern int unit_failures;

#define EXPECT(cond)                                                                               \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			unit_failures++;                                                           \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                 \
		}                                                                                  \
	} while (0)

#endif

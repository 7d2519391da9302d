/* SPDX-License-Identifier: MIT */
/* The hypercalls: their handlers, and stopping a long one in the middle. */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <hv/types.h>

/* Handlers take only the arguments that hypercalls.def names, all 64 bits wide. */
#define HANDLER_ARGS_0				void
#define HANDLER_ARGS_1				u64
#define HANDLER_ARGS_2				u64, u64
#define HANDLER_ARGS_3				u64, u64, u64
#define HANDLER_ARGS_4				u64, u64, u64, u64
#define HANDLER_ARGS_5				u64, u64, u64, u64, u64
#define HYPERCALL(number, name, handler, nargs) long handler(HANDLER_ARGS_##nargs);
#include <hypercalls.def>
#undef HYPERCALL

typedef long (*hypercall_fn)(u64, u64, u64, u64, u64);
extern hypercall_fn hypercall_table[];

/* The name of a call, for reports. */
const char *hypercall_name(unsigned int number);

/*
 * Arranges that the call is made again with new leading arguments once pending work is done, and
 * returns what the handler must return. Works inside a multicall as well.
 */
long hypercall_continue(unsigned int number, unsigned int nargs, const u64 *args);

/* Logs an unknown sub-operation (rarely) and returns -ENOSYS. */
long hypercall_unknown_op(const char *call, u64 op);

/* Counts and times every call from here on; option stats. */
void hypercall_enable_stats(void);

#endif

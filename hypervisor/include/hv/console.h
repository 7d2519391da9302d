/* SPDX-License-Identifier: MIT */
/* Guest consoles: the ring, and console_io. */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/domain.h>
#include <hv/types.h>

/* Prints with a "(dN) " before each line from now on; set when there are several domains. */
void console_set_prefix(bool on);

/* Gives d a console on the ring page m; *port: the event channel we serve it by. -ENOMEM, -ENOSPC.
 */
__must_check int console_init(struct domain *d, mfn_t m, u32 *port);

/* The part of a domain that console_init() makes: prints what is left, ends a half line. */
bool console_release(struct domain *d);

#endif

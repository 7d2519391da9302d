/* SPDX-License-Identifier: MIT */
/* What a guest may do to ports and its interrupt flag: virtual IOPL and the port bitmap. */
#ifndef HV_IOPORT_H
#define HV_IOPORT_H

#include <hv/types.h>

/* Whether IOPL lets the running vCPU, in the mode it is in, use cli, sti and all ports. */
bool ioport_iopl_allows(void);

/* Whether it may use size bytes of ports from port on, by IOPL or by its bitmap. */
bool ioport_allowed(u16 port, unsigned int size);

#endif

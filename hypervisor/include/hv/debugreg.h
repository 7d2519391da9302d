/* SPDX-License-Identifier: MIT */
/* Debug registers as the guest reads and writes them. */
#ifndef HV_DEBUGREG_H
#define HV_DEBUGREG_H

#include <hv/types.h>

/*
 * Reads and writes DR0..7 of the running vCPU; 4 and 5 are other names of 6 and 7. -ENODEV: no such
 * register. -EINVAL: a bit of the upper half of 6 or 7. -EPERM: an address in our half, a
 * breakpoint on ports, or the trap on accesses to these registers.
 */
__must_check int debugreg_read(unsigned int reg, u64 *value);
__must_check int debugreg_write(unsigned int reg, u64 value);

#endif

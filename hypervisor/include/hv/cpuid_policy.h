/* SPDX-License-Identifier: MIT */
/* What CPUID tells a guest kernel. */
#ifndef HV_CPUID_POLICY_H
#define HV_CPUID_POLICY_H

#include <hv/processor.h>

struct cpuid_result cpuid_for_guest(u32 leaf, u32 subleaf);

#endif

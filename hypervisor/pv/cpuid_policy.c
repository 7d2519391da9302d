// SPDX-License-Identifier: MIT
/*
 * The processor as the guest kernel sees it: the real one, less what a guest in ring 3 cannot have
 * (global and large pages, its own system-call registers, machine checks, extended state), plus the
 * leaves by which Linux recognizes the ABI. Applications execute CPUID themselves and see the real
 * processor.
 */
#include <hv/cpuid_policy.h>
#include <hv/clock.h>
#include <hv/public.h>
#include <xen/arch-x86/cpuid.h>

#define HIDE_1_EDX                                                                                 \
	(1u << 3 /* PSE */ | 1u << 7 /* MCE */ | 1u << 11 /* SEP */ | 1u << 12 /* MTRR */ |        \
	 1u << 13 /* PGE */ | 1u << 14 /* MCA */ | 1u << 17 /* PSE36 */)
#define HIDE_1_ECX                                                                                 \
	(1u << 2 /* DTES64 */ | 1u << 3 /* MWAIT */ | 1u << 4 | 1u << 5 /* VMX */ |                \
	 1u << 6 /* SMX */ | 1u << 7 | 1u << 8 | 1u << 15 /* PDCM */ | 1u << 17 /* PCID */ |       \
	 1u << 21 /* x2APIC */ | 1u << 24 /* TSC deadline */ | 1u << 26 /* XSAVE */ |              \
	 1u << 27 /* OSXSAVE */ | 1u << 28 /* AVX */)
#define SHOW_1_ECX    (1u << 31) /* hypervisor */
#define HIDE_EXT1_EDX (1u << 3 | 1u << 7 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17 | 1u << 26)
#define HIDE_EXT1_ECX                                                                              \
	(1u << 2 /* SVM */ | 1u << 10 /* IBS */ | 1u << 12 /* SKINIT */ | 1u << 23 | 1u << 24)
/* Of leaf 7 only what needs no support by the kernel: erms, bmi1, bmi2, fast string. */
#define SHOW_7_EBX (1u << 3 | 1u << 8 | 1u << 9)

#define TSC_NEVER_EMULATED 2
#define CONSTANT_TSC	   (1u << 8)

#define VERSION ((4u << 16) | 20)

static struct cpuid_result hypervisor_leaf(u32 leaf, u32 subleaf)
{
	struct cpuid_result r = {0, 0, 0, 0};

	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		r = (struct cpuid_result){XEN_CPUID_FIRST_LEAF + 5, XEN_CPUID_SIGNATURE_EBX,
					  XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX};
		break;
	case 1:
		r.eax = VERSION;
		break;
	case 3:
		if (subleaf == 0) {
			r.ecx = (u32)(boot_clock.hz / 1000);
			r.ebx = TSC_NEVER_EMULATED;
		}
		break;
	}
	return r;
}

struct cpuid_result cpuid_for_guest(u32 leaf, u32 subleaf)
{
	struct cpuid_result r;

	if (leaf >= XEN_CPUID_FIRST_LEAF && leaf < XEN_CPUID_FIRST_LEAF + 0x10000)
		return hypervisor_leaf(leaf, subleaf);
	r = cpuid(leaf, subleaf);
	switch (leaf) {
	case 1:
		r.edx &= ~HIDE_1_EDX;
		r.ecx = (r.ecx & ~HIDE_1_ECX) | SHOW_1_ECX;
		break;
	case 5: /* MONITOR */
	case 6: /* thermal, APERF */
	case 0xa:
	case 0xb:
	case 0xd:
	case 0x12 ... 0x1f:
		r = (struct cpuid_result){0, 0, 0, 0};
		break;
	case 7:
		r = (struct cpuid_result){0, subleaf == 0 ? r.ebx & SHOW_7_EBX : 0, 0, 0};
		break;
	case 0x80000001:
		r.edx &= ~HIDE_EXT1_EDX;
		r.ecx &= ~HIDE_EXT1_ECX;
		break;
	case 0x80000007:
		/* What we promise by the stable bit of pvclock: Linux then reads the counter
		 * itself. */
		r = (struct cpuid_result){0, 0, 0, CONSTANT_TSC};
		break;
	case 0x8000000a: /* SVM */
	case 0x8000001b ... 0x8000001f:
		r = (struct cpuid_result){0, 0, 0, 0};
		break;
	}
	return r;
}

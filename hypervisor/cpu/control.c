// SPDX-License-Identifier: MIT
/*
 * Control, debug and model-specific registers that bear on guests and that no other file sets: what
 * the firmware left in them is not to be relied on, so each gets a value once.
 *
 * SMEP is on where the processor has it: nothing of ours is executed from a page that ring 3 can
 * reach. SMAP is off, knowingly: guest memory is read and written by guest address all the time.
 */
#include <hv/control.h>
#include <hv/printk.h>
#include <hv/processor.h>

#define LEAF_FEATURES 7
#define EBX_SMEP      (1u << 7)

static bool has_smep(void)
{
	return cpuid(0, 0).eax >= LEAF_FEATURES && (cpuid(LEAF_FEATURES, 0).ebx & EBX_SMEP);
}

void control_init(void)
{
	u64 cr4 = X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;

	if (has_smep())
		cr4 |= X86_CR4_SMEP;
	write_cr4(cr4);
	wrmsr(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	/* A null code selector: `sysenter` faults also where the processor knows it. */
	wrmsr(MSR_SYSENTER_CS, 0);
	wrmsr(MSR_SYSENTER_ESP, 0);
	wrmsr(MSR_SYSENTER_EIP, 0);
	/* The first four, the only ones in use so far, are as after reset: no cache to be flushed.
	 */
	wrmsr(MSR_PAT, PAT_VALUE);
	wrmsr(MSR_DEBUGCTL, 0);
	write_dr6(DR6_RESET);
	write_dr7(DR7_RESET);
	print_info("processor: cr4 %lx, SMEP %s\n", cr4, cr4 & X86_CR4_SMEP ? "on" : "absent");
}

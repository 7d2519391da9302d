// SPDX-License-Identifier: MIT
/*
 * Structure offsets and constants for assembly files. Compiled to assembly only; the Makefile turns
 * each marked line into a #define of asm-offsets.h.
 */
#include <hv/domain.h>
#include <hv/pagetable.h>
#include <hv/percpu.h>
#include <hv/public.h>
#include <hv/traps.h>

#define DEFINE(name, value) asm volatile("\n->" #name " %0" ::"i"(value))
#define REGS(field)	    DEFINE(REGS_##field, offsetof(struct regs, field))
#define CPU(field)	    DEFINE(CPU_##field, offsetof(struct cpu, field))
#define HOT(field)	    DEFINE(CPU_##field, offsetof(struct cpu, hot.field))
#define IRET(field)	    DEFINE(IRET_##field, offsetof(struct iret_context, field))

/* IF forced on by the check before, IOPL, NT, VM and reserved bits off. */
#define IRET_FLAGS 0x250fd5

void asm_offsets(void);
void asm_offsets(void)
{
	REGS(r15);
	REGS(r14);
	REGS(r13);
	REGS(r12);
	REGS(rbp);
	REGS(rbx);
	REGS(r11);
	REGS(rcx);
	REGS(r8);
	REGS(r9);
	REGS(r10);
	REGS(rax);
	REGS(rdx);
	REGS(rsi);
	REGS(rdi);
	REGS(rip);
	REGS(cs);
	REGS(rflags);
	DEFINE(REGS_sizeof, sizeof(struct regs));
	CPU(scratch_rsp);
	CPU(stack_top);
	CPU(exit_work);
	CPU(syscall_path);
	CPU(nr_syscall);
	CPU(nr_iret);
	CPU(nr_page_fault);
	HOT(kernel_mode);
	HOT(kernel_cr3);
	HOT(user_cr3);
	HOT(kernel_sp);
	HOT(syscall_entry);
	HOT(page_fault_entry);
	HOT(vcpu_info);
	DEFINE(VCPU_INFO_upcall_mask, offsetof(struct vcpu_info, evtchn_upcall_mask));
	DEFINE(VCPU_INFO_cr2, offsetof(struct vcpu_info, arch.cr2));
	IRET(rax);
	IRET(r11);
	IRET(rcx);
	IRET(rip);
	IRET(cs);
	IRET(rflags);
	IRET(rsp);
	IRET(ss);
	DEFINE(ABI_IMAGE_BASE, IMAGE_BASE);
	DEFINE(ABI_FLAT_SS, FLAT_KERNEL_SS);
	DEFINE(ABI_FLAT_CS64, FLAT_KERNEL_CS);
	DEFINE(ABI_FLAT_CS32, FLAT_RING3_CS32);
	DEFINE(ABI_HYPERCALL_iret, __HYPERVISOR_iret);
	DEFINE(ABI_NR_HYPERCALLS, NR_HYPERCALLS);
	DEFINE(ABI_ENOSYS, ENOSYS);
	DEFINE(ABI_VECTOR_HYPERCALL, VECTOR_HYPERCALL);
	DEFINE(ABI_VECTOR_SYSCALL, VECTOR_SYSCALL);
	DEFINE(ABI_VECTOR_SYSCALL32, VECTOR_SYSCALL32);
	/* An address lies in our half if, shifted right by this, it equals that. */
	DEFINE(ABI_HV_HOLE_SHIFT, 43);
	DEFINE(ABI_HV_HOLE, HV_VA_START >> 43);
	DEFINE(ABI_IRET_FLAGS, IRET_FLAGS);
}

static_assert(HV_VA_END - HV_VA_START == 1ull << 43, "one shift tells our half");
static_assert(offsetof(struct vcpu_info, evtchn_upcall_pending) == 0,
	      "entry.S tests the first byte");

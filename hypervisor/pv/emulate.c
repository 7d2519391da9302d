// SPDX-License-Identifier: MIT
/*
 * Emulation of the few privileged instructions that guest kernels execute in PV mode: MSR accesses,
 * port I/O, accesses to control and debug registers, CLI/STI, and the CPUID marked by ud2 "xen";
 * and of port I/O and CLI/STI in applications that have been given the right. Everything else is
 * left to the guest's own handler.
 *
 * No port reaches hardware. Reads answer as an empty bus does, but for the timer port 0x42: its
 * quick calibration loop would spin 50 000 times on ones, and gives up at once on zero.
 */
#include <hv/emulate.h>
#include <hv/bounce.h>
#include <hv/control.h>
#include <hv/cpuid_policy.h>
#include <hv/debugreg.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/ioport.h>
#include <hv/percpu.h>
#include <hv/processor.h>
#include <hv/string.h>

#define MAX_INSN     15
#define PIT_CHANNEL2 0x42
#define GUEST_CR4    0x660

struct insn {
	u8 byte[MAX_INSN];
	unsigned int avail;
	unsigned int pos;
	bool op16;
	u8 rex;
};

#define AT(field) offsetof(struct regs, field)

u64 *emulate_register(struct regs *r, unsigned int number)
{
	static const u8 offset[16] = {AT(rax), AT(rcx), AT(rdx), AT(rbx), AT(rsp), AT(rbp),
				      AT(rsi), AT(rdi), AT(r8),	 AT(r9),  AT(r10), AT(r11),
				      AT(r12), AT(r13), AT(r14), AT(r15)};

	return (u64 *)((u8 *)r + offset[number & 15]);
}

/* Up to 15 bytes; fewer if the next page is not there. */
static void fetch(struct insn *in, u64 rip)
{
	u64 to_page_end = PAGE_SIZE - (rip & ~PAGE_MASK);

	memset(in, 0, sizeof(*in));
	in->avail = MAX_INSN;
	if (copy_from_guest(in->byte, vaddr(rip), MAX_INSN))
		return;
	in->avail = (unsigned int)MIN(to_page_end, (u64)MAX_INSN);
	if (!copy_from_guest(in->byte, vaddr(rip), in->avail))
		in->avail = 0;
}

static u8 next(struct insn *in)
{
	return in->pos < in->avail ? in->byte[in->pos++] : (in->pos++, 0);
}

static u8 skip_prefixes(struct insn *in)
{
	for (;;) {
		u8 b = next(in);

		if (b == 0x66)
			in->op16 = true;
		else if ((b & 0xf0) == 0x40)
			in->rex = b;
		else if (b != 0xf3 && b != 0xf2 && b != 0x3e && b != 0x2e)
			return b;
		if (in->pos >= MAX_INSN)
			return 0;
	}
}

static bool read_msr(u32 msr, u64 *value)
{
	switch (msr) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		*value = rdmsr(msr);
		return true;
	case MSR_EFER:
		*value = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
		return true;
	case MSR_APIC_BASE:
		*value = 0xfee00900;
		return true;
	case MSR_PAT:
		*value = PAT_VALUE;
		return true;
	}
	*value = 0;
	/* Machine check, microcode and the vendor's feature registers read as zero. */
	return msr == 0x8b || msr == 0x179 || msr == 0x17a || (msr >= 0x400 && msr < 0x480) ||
	       (msr & 0xffff0000) == 0xc0010000;
}

static bool write_msr(u32 msr, u64 value)
{
	switch (msr) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		if ((u64)((s64)(value << 16) >> 16) != value)
			return false;
		wrmsr(msr, value);
		return true;
	case MSR_EFER:
	case MSR_APIC_BASE:
	case MSR_PAT:
		return true;
	}
	return msr == 0x8b || msr == 0x179 || msr == 0x17a || (msr >= 0x400 && msr < 0x480) ||
	       (msr & 0xffff0000) == 0xc0010000;
}

static bool port_io(struct regs *regs, u8 opcode, u16 port, bool op16)
{
	unsigned int size = opcode & 1 ? (op16 ? 2 : 4) : 1;
	u64 answer = port == PIT_CHANNEL2 ? 0 : ~0ull;

	if (!ioport_allowed(port, size))
		return false;
	if (opcode & 2) /* out: dropped */
		return true;
	if (size == 4)
		regs->rax = (u32)answer;
	else
		memcpy(&regs->rax, &answer, size);
	return true;
}

static bool control_register(struct regs *regs, struct insn *in, u8 opcode)
{
	u8 modrm = next(in);
	unsigned int cr = ((modrm >> 3) & 7) | ((in->rex & 4) << 1);
	u64 *reg = emulate_register(regs, (modrm & 7) | ((in->rex & 1) << 3));

	if (opcode == 0x22)
		return cr == 0 || cr == 4;
	switch (cr) {
	case 0:
		*reg = read_cr0();
		return true;
	case 2:
		*reg = cpu.hot.vcpu_info->arch.cr2;
		return true;
	case 3:
		*reg = cpu.hot.kernel_cr3;
		return true;
	case 4:
		*reg = GUEST_CR4;
		return true;
	}
	return false;
}

static bool debug_register(struct regs *regs, struct insn *in, u8 opcode)
{
	u8 modrm = next(in);
	unsigned int dr = ((modrm >> 3) & 7) | ((in->rex & 4) << 1);
	u64 *reg = emulate_register(regs, (modrm & 7) | ((in->rex & 1) << 3));

	if (opcode == 0x23)
		return debugreg_write(dr, *reg) == 0;
	return debugreg_read(dr, reg) == 0;
}

static bool two_byte(struct regs *regs, struct insn *in)
{
	u8 opcode = next(in);
	u64 value;

	switch (opcode) {
	case 0x06: /* clts */
	case 0x09: /* wbinvd */
		return true;
	case 0x20:
	case 0x22:
		return control_register(regs, in, opcode);
	case 0x21:
	case 0x23:
		return debug_register(regs, in, opcode);
	case 0x30:
		return write_msr((u32)regs->rcx, (u32)regs->rax | regs->rdx << 32);
	case 0x32:
		if (!read_msr((u32)regs->rcx, &value))
			return false;
		regs->rax = (u32)value;
		regs->rdx = value >> 32;
		return true;
	}
	return false;
}

static bool execute(struct regs *regs, struct insn *in)
{
	u8 opcode = skip_prefixes(in);

	switch (opcode) {
	case 0x0f:
		return cpu.hot.kernel_mode && two_byte(regs, in);
	case 0xe4 ... 0xe7:
		return port_io(regs, opcode, next(in), in->op16);
	case 0xec ... 0xef:
		return port_io(regs, opcode, (u16)regs->rdx, in->op16);
	case 0xfa: /* cli, sti: the event mask is changed by memory only */
	case 0xfb:
		return ioport_iopl_allows();
	}
	return false;
}

bool emulate_privileged(struct regs *regs)
{
	struct regs before = *regs;
	struct insn in;

	fetch(&in, regs->rip);
	if (!execute(regs, &in) || in.pos > in.avail) {
		*regs = before;
		return false;
	}
	regs->rip += in.pos;
	current->domain->nr_gp_emulated++;
	return true;
}

bool emulate_invalid_opcode(struct regs *regs)
{
	static const u8 marked_cpuid[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
	u8 bytes[sizeof(marked_cpuid)];
	struct cpuid_result r;

	if (!copy_from_guest(bytes, vaddr(regs->rip), sizeof(bytes)) ||
	    memcmp(bytes, marked_cpuid, sizeof(bytes)) != 0)
		return false;
	r = cpuid_for_guest((u32)regs->rax, (u32)regs->rcx);
	regs->rax = r.eax;
	regs->rbx = r.ebx;
	regs->rcx = r.ecx;
	regs->rdx = r.edx;
	regs->rip += sizeof(bytes);
	return true;
}

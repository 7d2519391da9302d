// SPDX-License-Identifier: MIT
/*
 * Segment descriptors, interrupt gates, task state, system-call registers.
 *
 * A guest's descriptor table is a run of 15 pages: the first 14 are the guest's own frames (checked
 * by pv/descriptor.c), the last is ours and the same for all. Guest kernel and applications both
 * run in ring 3, so the ring 3 descriptors of the ABI serve both.
 *
 * Four exceptions get stacks of their own, because they can arrive while the stack pointer is
 * still the guest's (first and last instructions of entry.S): debug, NMI, double fault and machine
 * check. All gates clear the interrupt flag; the hypervisor always runs with interrupts off.
 */
#include <hv/descriptors.h>
#include <hv/percpu.h>
#include <hv/processor.h>
#include <hv/public.h>
#include <hv/string.h>
#include <hv/traps.h>

struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap;
} __attribute__((packed));

struct table_register {
	u16 limit;
	u64 base;
} __attribute__((packed));

#define IST_STACK_SIZE 4096
#define NR_IST	       4

static struct gate idt[256] __page_aligned;
static u64 gdt_page[512] __page_aligned;
static struct tss tss __attribute__((aligned(64)));
static u8 ist_stack[NR_IST][IST_STACK_SIZE] __page_aligned;

extern char entry_stubs[]; /* entry.S: 256 stubs of 16 bytes */
extern char entry_syscall[];
extern char entry_syscall_careful[];
extern char entry_syscall_counted[];
extern char entry_page_fault_counted[];
extern char entry_syscall32[];

#define DESC_CODE64_DPL0 0x00af9b000000ffffull
#define DESC_DATA_DPL0	 0x00cf93000000ffffull
#define DESC_CODE32_DPL3 0x00cffb000000ffffull
#define DESC_DATA_DPL3	 0x00cff3000000ffffull
#define DESC_CODE64_DPL3 0x00affb000000ffffull
#define TYPE_TSS	 0x89ull
#define TYPE_LDT	 0x82ull
#define GATE_INTERRUPT	 0x8e
#define GATE_DPL3	 0x60

static u64 *slot(unsigned int selector)
{
	return &gdt_page[(selector - HV_GDT_PAGE * PAGE_SIZE) / 8];
}

static void set_gate_to(unsigned int vector, unsigned int dpl, unsigned int ist, u64 entry)
{
	idt[vector] = (struct gate){
	    .offset_low = (u16)entry,
	    .selector = SEL_HV_CS,
	    .ist = (u8)ist,
	    .type = GATE_INTERRUPT | (dpl == 3 ? GATE_DPL3 : 0),
	    .offset_mid = (u16)(entry >> 16),
	    .offset_high = (u32)(entry >> 32),
	};
}

static void set_gate(unsigned int vector, unsigned int dpl, unsigned int ist)
{
	set_gate_to(vector, dpl, ist, (u64)entry_stubs + vector * 16);
}

static bool counted;

void descriptors_set_short_syscalls(bool hold)
{
	u64 path = (u64)(hold ? entry_syscall : entry_syscall_careful);

	if (likely(cpu.syscall_path == path))
		return;
	cpu.syscall_path = path;
	if (!counted)
		wrmsr(MSR_LSTAR, path);
}

void descriptors_count_entries(void)
{
	counted = true;
	wrmsr(MSR_LSTAR, (u64)entry_syscall_counted);
	set_gate_to(TRAP_PF, 0, 0, (u64)entry_page_fault_counted);
}

static void set_system(unsigned int selector, u64 base, u64 limit, u64 type)
{
	slot(selector)[0] =
	    limit | (base & 0xffffff) << 16 | type << 40 | (base >> 24 & 0xff) << 56;
	slot(selector)[1] = base >> 32;
}

static void fill_gdt(void)
{
	*slot(SEL_HV_CS) = DESC_CODE64_DPL0;
	*slot(SEL_HV_DS) = DESC_DATA_DPL0;
	*slot(FLAT_RING3_CS32 & ~7) = DESC_CODE32_DPL3;
	*slot(FLAT_RING3_SS32 & ~7) = DESC_DATA_DPL3;
	*slot(FLAT_RING3_CS64 & ~7) = DESC_CODE64_DPL3;
	set_system(SEL_TSS, (u64)&tss, sizeof(tss) - 1, TYPE_TSS);
}

void descriptors_load_ldt(u64 va, u64 nr)
{
	if (nr)
		set_system(SEL_LDT, va, nr * 8 - 1, TYPE_LDT);
	asm volatile("lldt %%ax" ::"a"(nr ? SEL_LDT : 0));
}

void descriptors_load_gdt(u64 va)
{
	struct table_register r = {GDT_LIMIT, va};

	asm volatile("lgdt %0" ::"m"(r));
}

void *descriptors_page(void)
{
	return gdt_page;
}

void descriptors_set_stack(u64 top)
{
	cpu.stack_top = top;
	tss.rsp[0] = top;
}

static void load_segments(void)
{
	asm volatile("pushq %0\n\t"
		     "leaq 1f(%%rip), %%rax\n\t"
		     "pushq %%rax\n\t"
		     "lretq\n"
		     "1:\n\t"
		     "movl %1, %%eax\n\t"
		     "movl %%eax, %%ss\n\t"
		     "xorl %%eax, %%eax\n\t"
		     "movl %%eax, %%ds\n\t"
		     "movl %%eax, %%es\n\t"
		     "movl %%eax, %%fs\n\t"
		     "movl %%eax, %%gs\n\t"
		     "movl %2, %%eax\n\t"
		     "ltr %%ax"
		     :
		     : "i"(SEL_HV_CS), "i"(SEL_HV_DS), "i"(SEL_TSS)
		     : "rax", "memory");
}

static void set_syscall_registers(void)
{
	wrmsr(MSR_STAR, (u64)FLAT_RING3_CS32 << 48 | (u64)SEL_HV_CS << 32);
	descriptors_set_short_syscalls(true);
	wrmsr(MSR_CSTAR, (u64)entry_syscall32);
	wrmsr(MSR_SFMASK, X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_IOPL |
			      X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC);
}

void descriptors_init(void)
{
	struct table_register r = {sizeof(idt) - 1, (u64)idt};

	for (unsigned int v = 0; v < 256; v++)
		set_gate(v, 0, 0);
	set_gate(TRAP_BP, 3, 0);
	set_gate(TRAP_OF, 3, 0);
	set_gate(0x80, 3, 0);
	set_gate(TRAP_DB, 0, 1);
	set_gate(TRAP_NMI, 0, 2);
	set_gate(TRAP_DF, 0, 3);
	set_gate(TRAP_MC, 0, 4);
	for (unsigned int i = 0; i < NR_IST; i++)
		tss.ist[i] = (u64)ist_stack[i] + IST_STACK_SIZE;
	tss.iomap = sizeof(tss);
	fill_gdt();
	/* Only the last page of this table exists; nothing loads a lower selector. */
	descriptors_load_gdt((u64)gdt_page - HV_GDT_PAGE * PAGE_SIZE);
	asm volatile("lidt %0" ::"m"(r));
	load_segments();
	set_syscall_registers();
}

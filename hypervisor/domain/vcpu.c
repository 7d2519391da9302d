// SPDX-License-Identifier: MIT
/*
 * What a vCPU has in the processor, and moving it in and out.
 *
 * A vCPU stays loaded while the processor idles, so a guest that sleeps and wakes alone on the
 * machine costs no reload. Its per-domain area (one 2 MB region of our half per domain) holds:
 *
 *   +0        its descriptor table: 14 pages of the guest's, then ours
 *   +0x10000  its local descriptor table, if it has one
 *   +0x20000  an unmapped page, so that a stack overflow is a double fault and not a corruption
 *   +0x21000  two pages of stack
 */
#include <hv/vcpu.h>
#include <hv/clock.h>
#include <hv/descriptors.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/guestcopy.h>
#include <hv/pagetable.h>
#include <hv/printk.h>
#include <hv/string.h>

#define AREA_SIZE    (1ull << 21)
#define LDT_OFFSET   0x10000
#define STACK_OFFSET 0x21000
#define STACK_PAGES  2

extern char switch_first_run[];

static struct vcpu *loaded;
static const u8 empty_page[PAGE_SIZE] __page_aligned;

static u64 area_of(const struct domain *d)
{
	return DOMAIN_AREA_BASE + d->id * AREA_SIZE;
}

static int map_stack(struct vcpu *v, u64 va)
{
	for (unsigned int i = 0; i < STACK_PAGES; i++) {
		void *page = domain_page_alloc(v->domain);

		if (!page || pagetable_map(va + i * PAGE_SIZE, mfn_to_paddr(virt_to_mfn(page)),
					   PTE_RW | PTE_NX) < 0)
			return trace_error(-ENOMEM);
	}
	v->stack_top = va + STACK_PAGES * PAGE_SIZE;
	v->domain->state_frames++; /* the L1 of the area */
	return 0;
}

int vcpu_init(struct vcpu *v)
{
	u64 area = area_of(v->domain);
	paddr_t ours = paddr((u64)descriptors_page() - IMAGE_BASE);

	v->info_frame = MFN_INVALID;
	v->gdt_va = area;
	v->traps = domain_page_alloc(v->domain);
	if (!v->traps)
		return trace_error(-ENOMEM);
	if (pagetable_map(area + HV_GDT_PAGE * PAGE_SIZE, ours, PTE_RW | PTE_NX) < 0)
		return trace_error(-ENOMEM);
	for (unsigned int i = 0; i < GUEST_GDT_PAGES; i++)
		vcpu_map_gdt_page(v, i, MFN_INVALID);
	fpu_reset(&v->fpu);
	debug_reset(&v->debug);
	v->runstate.state = RUNSTATE_blocked;
	v->runstate.state_entry_time = clock_now();
	return map_stack(v, area + STACK_OFFSET);
}

/* The area's table exists since vcpu_init(), so mapping in it cannot fail. */
void vcpu_map_gdt_page(struct vcpu *v, unsigned int i, mfn_t m)
{
	bool none = m.n == MFN_INVALID.n;
	paddr_t pa = none ? paddr((u64)empty_page - IMAGE_BASE) : mfn_to_paddr(m);

	BUG_ON(pagetable_map(v->gdt_va + i * PAGE_SIZE, pa, (none ? 0 : PTE_RW) | PTE_NX) < 0);
}

u64 vcpu_ldt_va(const struct vcpu *v)
{
	return area_of(v->domain) + LDT_OFFSET;
}

void vcpu_load_ldt(struct vcpu *v)
{
	if (v == loaded)
		descriptors_load_ldt(vcpu_ldt_va(v), v->ldt_entries);
}

static u64 *stack_page(struct vcpu *v, unsigned int i)
{
	u64 va = area_of(v->domain) + STACK_OFFSET + i * PAGE_SIZE;

	return pagetable_lookup(va);
}

void vcpu_release(struct vcpu *v)
{
	BUG_ON(loaded == v);
	page_free(v->traps);
	for (unsigned int i = 0; i < STACK_PAGES; i++)
		if (stack_page(v, i))
			page_free(stack_page(v, i));
	pagetable_drop_l1(area_of(v->domain));
}

void vcpu_set_entry(struct vcpu *v, const struct regs *regs)
{
	struct regs *frame = (struct regs *)v->stack_top - 1;
	u64 *sp = (u64 *)frame - 7;

	*frame = *regs;
	memset(sp, 0, 6 * sizeof(u64)); /* what switch_stack() pops */
	sp[6] = (u64)switch_first_run;
	v->saved_rsp = (u64)sp;
}

#define LOAD_SELECTOR(reg, value)                                                                  \
	asm volatile("1: mov %0, %%" #reg "\n\t"                                                   \
		     "jmp 3f\n"                                                                    \
		     "2: xor %%eax, %%eax\n\t"                                                     \
		     "mov %%eax, %%" #reg "\n"                                                     \
		     "3:\n" ASM_EXTABLE(1b, 2b)                                                    \
		     :                                                                             \
		     : "r"((u32)(value))                                                           \
		     : "eax")

#define SAVE_SELECTOR(reg, field) asm volatile("mov %%" #reg ", %0" : "=m"(field))

static void save(struct vcpu *v)
{
	SAVE_SELECTOR(ds, v->ds);
	SAVE_SELECTOR(es, v->es);
	SAVE_SELECTOR(fs, v->fs);
	SAVE_SELECTOR(gs, v->gs);
	v->fs_base = rdmsr(MSR_FS_BASE);
	v->gs_base = rdmsr(MSR_GS_BASE);
	v->gs_base_inactive = rdmsr(MSR_KERNEL_GS_BASE);
	v->saved_hot = cpu.hot;
	fpu_save(&v->fpu);
}

/* A selector can have become invalid meanwhile: it is then loaded as null. */
static void load(struct vcpu *v)
{
	descriptors_load_gdt(v->gdt_va);
	descriptors_load_ldt(vcpu_ldt_va(v), v->ldt_entries);
	LOAD_SELECTOR(ds, v->ds);
	LOAD_SELECTOR(es, v->es);
	LOAD_SELECTOR(fs, v->fs);
	LOAD_SELECTOR(gs, v->gs);
	wrmsr(MSR_FS_BASE, v->fs_base);
	wrmsr(MSR_GS_BASE, v->gs_base);
	wrmsr(MSR_KERNEL_GS_BASE, v->gs_base_inactive);
	descriptors_set_short_syscalls(v->short_syscalls);
	cpu.hot = v->saved_hot;
	write_cr0(v->task_switched ? read_cr0() | X86_CR0_TS : read_cr0() & ~X86_CR0_TS);
	tlb_load_cr3(cpu.hot.kernel_mode ? cpu.hot.kernel_cr3 : cpu.hot.user_cr3);
}

void vcpu_load(struct vcpu *v)
{
	if (loaded == v)
		return;
	/* Restoring with CR0.TS set would fault. */
	write_cr0(read_cr0() & ~X86_CR0_TS);
	if (loaded)
		save(loaded);
	loaded = v;
	fpu_load(&v->fpu);
	debug_load(&v->debug);
	load(v);
}

void vcpu_unload(struct vcpu *v)
{
	if (loaded != v)
		return;
	write_cr0(read_cr0() & ~X86_CR0_TS);
	save(v);
	loaded = NULL;
	debug_unload();
	LOAD_SELECTOR(ds, 0);
	LOAD_SELECTOR(es, 0);
	LOAD_SELECTOR(fs, 0);
	LOAD_SELECTOR(gs, 0);
	descriptors_load_ldt(0, 0);
	descriptors_load_gdt((u64)descriptors_page() - HV_GDT_PAGE * PAGE_SIZE);
	tlb_load_cr3(pagetable_idle_cr3());
}

void vcpu_enter_kernel_mode(void)
{
	swapgs();
	cpu.hot.kernel_mode = 1;
	write_cr3(cpu.hot.kernel_cr3);
}

void vcpu_enter_user_mode(void)
{
	swapgs();
	cpu.hot.kernel_mode = 0;
	write_cr3(cpu.hot.user_cr3);
}

/* Writes to the guest only through its kernel tables; in application mode they are loaded for it.
 */
void vcpu_publish_runstate(struct vcpu *v)
{
	struct vcpu_runstate_info info = v->runstate;
	bool user = !cpu.hot.kernel_mode;
	u64 field = v->runstate_area.n + offsetof(struct vcpu_runstate_info, state_entry_time);
	bool ok = true;

	if (!v->runstate_area.n || loaded != v)
		return;
	if (user)
		write_cr3(cpu.hot.kernel_cr3);
	if (v->domain->runstate_update_flag) {
		info.state_entry_time |= XEN_RUNSTATE_UPDATE;
		ok = put_guest_u64(vaddr(field), info.state_entry_time);
	}
	ok = ok && copy_to_guest(v->runstate_area, &info, sizeof(info));
	if (v->domain->runstate_update_flag) {
		info.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
		ok = ok && put_guest_u64(vaddr(field), info.state_entry_time);
	}
	if (user)
		write_cr3(cpu.hot.user_cr3);
	if (!ok)
		v->runstate_area = vaddr(0);
}

void vcpu_set_runstate(struct vcpu *v, int state, u64 now)
{
	v->runstate.time[v->runstate.state] += now - v->runstate.state_entry_time;
	v->runstate.state = state;
	v->runstate.state_entry_time = now;
}

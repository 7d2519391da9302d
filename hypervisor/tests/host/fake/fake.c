// SPDX-License-Identifier: MIT
/* What the units under test call outside themselves. */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/pagetable.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/vcpu.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

int unit_failures;
struct cpu cpu;
struct domain *domains[MAX_DOMAINS];
struct frame *frame_table;
u64 *m2p_table;
u64 max_mfn, nr_free_frames;
u32 tlb_epoch;
unsigned int fake_wakeups;
bool fake_impatient; /* a timer is due every now and then */
unsigned int fake_looks;
unsigned int fake_continuations;
u64 fake_args[5]; /* of the last call that is to be made again */
void (*fake_flush_hook)(void);

void sched_wake(struct vcpu *v);
bool sched_should_preempt(void);
int descriptor_validate_page(u64 *page);
int descriptor_set_ldt(vaddr_t va, u64 nr);

void write_cr3(u64 v)
{
	(void)v;
	if (fake_flush_hook)
		fake_flush_hook();
}

void sched_wake(struct vcpu *v)
{
	(void)v;
	fake_wakeups++;
}

bool sched_should_preempt(void)
{
	fake_looks++;
	return fake_impatient && rand() % 3 == 0;
}

void pagetable_fill_hv_slots(u64 *l4)
{
	for (unsigned int i = L4_HV_FIRST; i <= L4_HV_LAST; i++)
		l4[i] = 0xfee0000000000ull | i;
}

int descriptor_validate_page(u64 *page)
{
	return page[0] == ~0ull ? -EINVAL : 0;
}

int descriptor_set_ldt(vaddr_t va, u64 nr)
{
	(void)va;
	(void)nr;
	return -EINVAL;
}

__attribute__((weak)) void *domain_page_alloc(struct domain *d)
{
	void *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	(void)d;
	return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

__attribute__((weak)) void page_free(void *page)
{
	free(page);
}

struct domain *domain_by_id(u64 domid)
{
	return domid < MAX_DOMAINS ? domains[domid] : NULL;
}

long hypercall_unknown_op(const char *call, u64 op)
{
	(void)call;
	(void)op;
	return -ENOSYS;
}

long hypercall_continue(unsigned int number, unsigned int nargs, const u64 *args)
{
	fake_continuations++;
	for (unsigned int i = 0; i < nargs; i++)
		fake_args[i] = args[i];
	return number;
}

__attribute__((weak)) void console_write(const char *s, size_t n)
{
	fwrite(s, 1, n, stderr);
}

void machine_die(void)
{
	abort();
}

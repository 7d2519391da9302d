// SPDX-License-Identifier: MIT
/*
 * The dispatch table, multicalls, and continuation of calls that take long.
 *
 * entry.S calls through hypercall_table with the guest's argument registers as C arguments. A long
 * batch that should make room for a timer rewrites the guest's arguments to what is left, steps the
 * guest's instruction pointer back to its `syscall` and returns: the exit path does what is due,
 * and the guest makes the call again without knowing.
 */
#include <hv/hypercall.h>
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/vcpu.h>

#define SYSCALL_LENGTH 2

static long do_unknown(void)
{
	return trace_error(-ENOSYS);
}

static long do_nested(void)
{
	return trace_error(-EINVAL);
}

/* The list below overrides the default of the first line, on purpose. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#define HYPERCALL(number, name, handler, nargs) [number] = (hypercall_fn)(void *)handler,
hypercall_fn hypercall_table[NR_HYPERCALLS] = {
    [0 ... NR_HYPERCALLS - 1] = (hypercall_fn)(void *)do_unknown,
#include <hypercalls.def>
};
#undef HYPERCALL
#pragma GCC diagnostic pop

#define HYPERCALL(number, name, handler, nargs) [number] = #name,
static const char *const names[NR_HYPERCALLS] = {
#include <hypercalls.def>
};
#undef HYPERCALL

static hypercall_fn untimed_table[NR_HYPERCALLS];

const char *hypercall_name(unsigned int number)
{
	return number < NR_HYPERCALLS && names[number] ? names[number] : "unknown";
}

long hypercall_unknown_op(const char *call, u64 op)
{
	static unsigned int budget = 20;

	if (budget) {
		budget--;
		print_info("d%u: %s: operation %lu is not provided\n", current->domain->id, call,
			   op);
	}
	return trace_error(-ENOSYS);
}

long hypercall_continue(unsigned int number, unsigned int nargs, const u64 *args)
{
	struct regs *regs = guest_regs();
	u64 *const reg[] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10, &regs->r8};

	if (current->mc_entry) {
		for (unsigned int i = 0; i < nargs; i++)
			current->mc_entry->args[i] = args[i];
		current->mc_continued = true;
		return 0;
	}
	for (unsigned int i = 0; i < nargs; i++)
		*reg[i] = args[i];
	regs->rip -= SYSCALL_LENGTH;
	return number;
}

/* Carries out one entry; its result goes to the guest unless the entry is to be continued. */
static bool run_entry(struct multicall_entry *e)
{
	hypercall_fn fn = (hypercall_fn)(void *)do_unknown;

	if (e->op == __HYPERVISOR_multicall)
		fn = (hypercall_fn)(void *)do_nested;
	else if (e->op < NR_HYPERCALLS)
		fn = hypercall_table[e->op];
	current->mc_continued = false;
	current->mc_entry = e;
	e->result = (xen_ulong_t)fn(e->args[0], e->args[1], e->args[2], e->args[3], e->args[4]);
	current->mc_entry = NULL;
	return !current->mc_continued;
}

/*
 * Entries are read, carried out and answered one by one; one that blocks simply returns later.
 * iret ends the list wherever it stands, as in Xen; that its result could not be written is no
 * error.
 */
long do_multicall(u64 list, u64 count)
{
	struct multicall_entry e;

	for (u64 i = 0; i < (u32)count; i++) {
		bool finished;

		if (i && sched_should_preempt()) {
			u64 args[] = {list + i * sizeof(e), (u32)count - i};

			return hypercall_continue(__HYPERVISOR_multicall, 2, args);
		}
		if (!copy_elem_from(&e, list, i))
			return trace_error(-EFAULT);
		finished = run_entry(&e);
		if (current->domain->state != DOMAIN_RUNNING)
			return trace_error(-EFAULT);
		if (!copy_elem_to(list, i, &e) && e.op != __HYPERVISOR_iret)
			return trace_error(-EFAULT);
		if (e.op == __HYPERVISOR_iret)
			return (long)e.result;
		if (!finished) {
			u64 args[] = {list + i * sizeof(e), (u32)count - i};

			return hypercall_continue(__HYPERVISOR_multicall, 2, args);
		}
	}
	return 0;
}

/* Time the running vCPU was not running, as counter ticks. */
static u64 ticks_away(void)
{
	const u64 *time = current->runstate.time;

	return mul_div(time[RUNSTATE_runnable] + time[RUNSTATE_blocked], boot_clock.hz, 1000000000);
}

static long timed_call(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	u64 number = current->mc_entry ? current->mc_entry->op : guest_regs()->rax;
	struct hypercall_stats *s = &current->domain->hypercall[(u32)number % NR_HYPERCALLS];
	u64 away = ticks_away();
	u64 start = rdtsc();
	long rc = untimed_table[(u32)number % NR_HYPERCALLS](a, b, c, d, e);

	s->ticks += rdtsc() - start - (ticks_away() - away);
	s->count++;
	return rc;
}

void hypercall_enable_stats(void)
{
	memcpy(untimed_table, hypercall_table, sizeof(hypercall_table));
	for (unsigned int i = 0; i < NR_HYPERCALLS; i++)
		hypercall_table[i] = timed_call;
}

// SPDX-License-Identifier: MIT
/* The lines printed at the end of each domain. */
#include <hv/report.h>
#include <hv/clock.h>
#include <hv/descriptors.h>
#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/vcpu.h>
#include <xen/sched.h>

static bool stats;
static bool all_clean = true;

void report_enable_stats(void)
{
	stats = true;
	hypercall_enable_stats();
	descriptors_count_entries();
}

bool report_all_clean(void)
{
	return all_clean;
}

static const char *reason_name(unsigned int reason)
{
	static const char *const names[] = {"poweroff", "reboot",   "suspend",
					    "crash",	"watchdog", "soft reset"};

	return reason < ARRAY_SIZE(names) ? names[reason] : "unknown";
}

static void print_stats(const struct domain *d)
{
	for (unsigned int i = 0; i < NR_HYPERCALLS; i++) {
		const struct hypercall_stats *s = &d->hypercall[i];

		if (s->count)
			print_always("d%u: %-20s %8lu calls %6lu instructions each\n", d->id,
				     hypercall_name(i), s->count, s->ticks / s->count);
	}
	print_always("d%u: table writes emulated %lu, privileged %lu, events %lu\n", d->id,
		     d->nr_pt_emulated, d->nr_gp_emulated, d->nr_events);
}

void report_totals(u64 free_at_boot)
{
	if (stats)
		print_always("all domains: system calls %lu, iret %lu, page faults %lu\n",
			     cpu.nr_syscall, cpu.nr_iret, cpu.nr_page_fault);
	if (nr_free_frames == free_at_boot)
		return;
	print_error("free frames %lu, at boot %lu\n", nr_free_frames, free_at_boot);
	all_clean = false;
}

/* Only while no other domain lives can the numbers be compared: others hold frames of their own. */
void report_frames(unsigned int id, u64 before, u64 after)
{
	print_info("d%u: free frames %lu, before it was made %lu\n", id, after, before);
}

void report_domain(const struct domain *d)
{
	u64 now = clock_now() - d->start_ns;

	if (d->shutdown_reason != SHUTDOWN_poweroff || d->leaks)
		all_clean = false;
	print_always("d%u: ended by %s after %lu.%06lu s\n", d->id, reason_name(d->shutdown_reason),
		     now / 1000000000, now / 1000 % 1000000);
	if (d->leaks)
		print_error("d%u: %lu frames with references left\n", d->id, d->leaks);
	if (stats)
		print_stats(d);
}

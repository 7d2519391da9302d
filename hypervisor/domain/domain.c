// SPDX-License-Identifier: MIT
/*
 * Life and death of domains.
 *
 * building -> running -> dying -> dead. A domain dies on its own request (shutdown) or by ours
 * (crash). It stops at its next exit; its turns in the schedule are then spent on burying it, on
 * the idle loop's stack, part by part.
 *
 * Locks: there are none. One processor, interrupts off in the hypervisor, and no switch but at
 * schedule(). Each function that may reach schedule() says so.
 */
#include <hv/domain.h>
#include <hv/clock.h>
#include <hv/frame.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/vcpu.h>
#include <xen/sched.h>

struct domain *domains[MAX_DOMAINS];

static_assert(sizeof(struct domain) <= PAGE_SIZE, "a domain fits its page");
static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "a vCPU fits its page");

struct domain *domain_by_id(u64 domid)
{
	domid &= 0xffff;
	if (domid == DOMID_SELF)
		return current->domain;
	return domid < MAX_DOMAINS ? domains[domid] : NULL;
}

void *domain_page_alloc(struct domain *d)
{
	void *page = page_alloc();

	if (page)
		d->state_frames++;
	return page;
}

static u16 free_id(void)
{
	for (u16 id = 1; id < MAX_DOMAINS; id++)
		if (!domains[id])
			return id;
	return 0;
}

struct domain *domain_create(void)
{
	u16 id = free_id();
	struct domain *d = id ? page_alloc() : NULL;

	if (!d)
		return NULL;
	d->id = id;
	d->state_frames = 1;
	d->state = DOMAIN_BUILDING;
	d->vcpu = domain_page_alloc(d);
	if (!d->vcpu)
		return NULL;
	d->vcpu->domain = d;
	if (vcpu_init(d->vcpu) < 0)
		return NULL;
	for (; d->parts_left < nr_domain_parts; d->parts_left++) {
		const struct domain_part *part = &domain_parts[d->parts_left];

		if (part->init && part->init(d) < 0)
			return NULL;
	}
	domains[id] = d;
	return d;
}

void domain_start(struct domain *d)
{
	d->state = DOMAIN_RUNNING;
	d->start_ns = clock_now();
	sched_wake(d->vcpu);
}

void domain_shutdown(struct domain *d, unsigned int reason)
{
	if (d->state != DOMAIN_RUNNING)
		return;
	d->state = DOMAIN_DYING;
	d->shutdown_reason = reason;
	sched_bury(d->vcpu);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	char why[160];
	va_list args;

	if (d->state != DOMAIN_RUNNING)
		return;
	va_start(args, fmt);
	vformat(why, sizeof(why), fmt, args);
	va_end(args);
	print_error("d%u crashed: %s\n", d->id, why);
	if (current->domain == d) {
		print_error("d%u in %s mode, kernel cr3 %lx user cr3 %lx\n", d->id,
			    cpu.hot.kernel_mode ? "kernel" : "user", cpu.hot.kernel_cr3,
			    cpu.hot.user_cr3);
		d->registers_wanted = true;
	}
	d->crashed = true;
	domain_shutdown(d, SHUTDOWN_crash);
}

static bool release_parts(struct domain *d)
{
	for (; d->parts_left; d->parts_left--) {
		if (!domain_parts[d->parts_left - 1].release(d))
			return false;
		d->release_cursor = 0;
	}
	return true;
}

bool domain_bury(struct domain *d)
{
	u64 before = d->free_before;
	unsigned int id = d->id;

	vcpu_unload(d->vcpu);
	if (!release_parts(d))
		return false;
	d->state = DOMAIN_DEAD;
	report_domain(d);
	sched_remove(d->vcpu);
	vcpu_release(d->vcpu);
	page_free(d->vcpu);
	domains[id] = NULL;
	page_free(d);
	report_frames(id, before, nr_free_frames);
	return true;
}

unsigned int domain_count(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MAX_DOMAINS; i++)
		n += domains[i] != NULL;
	return n;
}

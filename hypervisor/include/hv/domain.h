/* SPDX-License-Identifier: MIT */
/* A guest: its identity, life cycle and what it owns. */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <hv/public.h>
#include <hv/types.h>

struct vcpu;
struct evtchn;
struct grant_table;
struct console;
struct store;

#define MAX_DOMAINS   16
#define NR_HYPERCALLS 56

enum domain_state { DOMAIN_BUILDING, DOMAIN_RUNNING, DOMAIN_DYING, DOMAIN_DEAD };

struct hypercall_stats {
	u64 count;
	u64 ticks;
};

struct domain {
	u16 id; /* 1.. */
	enum domain_state state;
	unsigned int shutdown_reason; /* SHUTDOWN_*, valid when dying or dead */
	bool crashed;
	bool registers_wanted; /* to be printed by the exit path, where all of them are saved */

	u32 release_head; /* tables to be released, see pv/page_type.c; 0 = none */

	/* At its end: */
	unsigned int parts_left; /* to be released, from the last */
	u64 release_cursor;	 /* how far the one being released has got; its own business */
	u64 leaks;		 /* frames that something still refers to */

	u64 nr_pages;	  /* frames that are its memory */
	u64 max_pages;	  /* what memory_op lets it grow to */
	u64 state_frames; /* frames of ours that hold its state */

	struct vcpu *vcpu;
	struct shared_info *shared_info;
	struct evtchn *evtchn;	    /* pv/evtchn.c */
	u32 virq_port[NR_VIRQS];    /* 0: not bound */
	struct grant_table *grants; /* pv/grant.c */
	struct console *console;    /* pv/console.c */
	struct store *store;	    /* io/store.c */
	bool runstate_update_flag;  /* vm_assist: mark runstate as being written */

	u64 start_ns;
	u64 free_before; /* free frames (and boot modules') before it was created */
	u64 nr_pt_emulated, nr_gp_emulated, nr_events;
	struct hypercall_stats hypercall[NR_HYPERCALLS];
};

/* All domains by id; NULL where there is none. */
extern struct domain *domains[MAX_DOMAINS];

/* Domain by the id a guest named (DOMID_SELF is the caller); NULL if there is none. */
struct domain *domain_by_id(u64 domid);

/*
 * The domain on whose behalf caller asks for something, by the id it gave; NULL if it may not. The
 * one place that says who may act for whom: so far each for itself alone.
 */
static inline struct domain *domain_for(struct domain *caller, u32 domid)
{
	return domid == DOMID_SELF || domid == caller->id ? caller : NULL;
}

/*
 * Makes an empty domain with one vCPU, not runnable yet. Returns NULL if memory is short or the
 * table is full.
 */
struct domain *domain_create(void);

/* Lets it run. */
void domain_start(struct domain *d);

/* The guest asked to end: reason is SHUTDOWN_*. Never run again after the next exit. */
void domain_shutdown(struct domain *d, unsigned int reason);

/* The guest cannot go on: prints why (and, on the way out, its registers), ends the domain alone.
 */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);

/*
 * Called on the idle stack: gives back everything that a dying domain owns. Returns false if it
 * stopped for a timer and wants to be called again; else d is gone.
 */
bool domain_bury(struct domain *d);

/* How many domains there are, dead ones that are not buried yet included. */
unsigned int domain_count(void);

/* Takes a page for the domain's own bookkeeping; zero, counted; NULL if memory is short. */
void *domain_page_alloc(struct domain *d);

/* Something that a domain consists of, beside its vCPU. */
struct domain_part {
	int (*init)(struct domain *d);	   /* NULL: comes into being later, or never */
	bool (*release)(struct domain *d); /* false: a timer is due, to be called again */
};

/* Hooks: the parts, in the order of their making (boot/parts.c), and what is told of a domain that
 * ended, and of the balance of frames (pv/report.c). */
extern const struct domain_part domain_parts[];
extern const unsigned int nr_domain_parts;
void report_domain(const struct domain *d);
void report_frames(unsigned int id, u64 before, u64 after);

#endif

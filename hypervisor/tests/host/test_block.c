// SPDX-License-Identifier: MIT
/*
 * The block back end without a machine: the disk's timing, the order of requests, extents, the
 * handshake with a front end that lies, and rings full of nonsense, where nothing but the device's
 * own extents and the pages it was granted may change.
 */
#include "unit.h"
#include <hv/alarm.h>
#include <hv/blkback.h>
#include <hv/evtchn.h>
#include <hv/printk.h>
#include <hv/store.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/io/xenbus.h>

#define SECTORS	  4096u
#define PAGES	  64u /* of the guest */
#define RING_PAGE 0
#define OTHER_RING 3
#define FORBIDDEN 50 /* pages from here on are not granted */
#define MS	  1000000ull

u64 clock_now(void);

static u64 now;
static struct alarm *alarms;
static u32 front_state, front_ring, front_port;
static char back_state[8];
static unsigned int held, events;
static struct domain dom[2];

u64 clock_now(void)
{
	return now;
}

void alarm_set(struct alarm *a, u64 due)
{
	alarm_cancel(a);
	a->due = due;
	a->set = true;
	a->next = alarms;
	alarms = a;
}

void alarm_cancel(struct alarm *a)
{
	struct alarm **p = &alarms;

	while (*p && *p != a)
		p = &(*p)->next;
	if (*p)
		*p = a->next;
	a->set = false;
}

static void pass(u64 until)
{
	for (;;) {
		struct alarm *first = NULL;

		for (struct alarm *a = alarms; a; a = a->next)
			if (!first || a->due < first->due)
				first = a;
		if (!first || first->due > until)
			break;
		now = MAX(now, first->due);
		alarm_cancel(first);
		first->ring(first);
	}
	now = MAX(now, until);
}

int pagetable_map_large(u64 va, paddr_t pa, u64 flags)
{
	(void)va;
	(void)pa;
	(void)flags;
	return 0;
}

void evtchn_set_pending(struct domain *d, u32 port)
{
	EXPECT(d == &dom[0] || d == &dom[1]);
	EXPECT(port == 7);
	events++;
}

int evtchn_join(struct domain *d, u32 port, evtchn_service fn)
{
	(void)d;
	(void)fn;
	return port == 7 ? 0 : -EINVAL;
}

void evtchn_leave(struct domain *d, u32 port)
{
	(void)d;
	(void)port;
}

int grant_hold(struct domain *owner, u32 ref, bool write, struct held *h)
{
	if (ref >= FORBIDDEN)
		return GNTST_bad_gntref;
	*h = (struct held){.owner = owner->id, .write = write, .ref = ref, .mfn = mfn(ref)};
	held++;
	return GNTST_okay;
}

void grant_release(struct held *h)
{
	(void)h;
	held--;
}

int store_write(struct domain *d, const char *path, const char *fmt, ...)
{
	va_list args;

	(void)d;
	va_start(args, fmt);
	if (strstr(path, "/backend/") && strstr(path, "/state"))
		vformat(back_state, sizeof(back_state), fmt, args);
	va_end(args);
	return 0;
}

bool store_read_u32(struct domain *d, const char *path, u32 *out)
{
	(void)d;
	*out = front_state;
	if (strstr(path, "ring-ref"))
		*out = front_ring;
	if (strstr(path, "event-channel"))
		*out = front_port;
	return *out != ~0u;
}

extern bool fake_impatient;

static void (*written)(struct domain *d);

void store_on_write(const char *top, void (*fn)(struct domain *d))
{
	(void)top;
	written = fn;
}

static void disk_time(void)
{
	struct disk k = {.nr_sectors = 8};

	EXPECT(disk_start(&k, 0, 1 << 30) == 0); /* no rate */
	disk_set_rate(&k, 50);			 /* 1 048 550 bytes in a tick */
	EXPECT(disk_start(&k, 1005 * MS, 1000000) == 0);
	EXPECT(disk_start(&k, 1006 * MS, 100000) == 1025 * MS); /* the tick began at 5 ms */
	EXPECT(disk_start(&k, 1007 * MS, 1) == 1025 * MS);	/* none passes one that waits */
	EXPECT(disk_start(&k, 1025 * MS, 1000000) == 0);
	EXPECT(disk_start(&k, 1026 * MS, 100000) == 1045 * MS);
	EXPECT(disk_start(&k, 1100 * MS, 1000000) == 0); /* ticks had stopped */
	EXPECT(disk_start(&k, 1101 * MS, 100000) == 1120 * MS);
	EXPECT(disk_start(&k, 1120 * MS, 2 << 20) == 0); /* more than any tick has: never would */
}

static void take(struct elevator *e, int place)
{
	elevator_take(e, (unsigned int)place, e->request[place].sector + 8);
}

static void order(void)
{
	struct elevator e = {.head = 100, .next_number = ~0u - 3};
	static const u64 sectors[] = {50, 300, 200, 100};
	unsigned int place[6];

	for (unsigned int i = 0; i < 4; i++)
		place[i] = elevator_add(&e, sectors[i], false);
	place[4] = elevator_add(&e, 0, true);
	place[5] = elevator_add(&e, 101, false);
	EXPECT(elevator_next(&e, false) == (int)place[3]); /* 100, though the last to come */
	take(&e, (int)place[3]);
	EXPECT(elevator_next(&e, false) == (int)place[2]); /* 200, not 101 behind the barrier */
	take(&e, (int)place[2]);
	take(&e, elevator_next(&e, false));
	EXPECT(elevator_next(&e, false) == (int)place[0]); /* around */
	take(&e, (int)place[0]);
	EXPECT(elevator_next(&e, false) == -1); /* the barrier waits for what is under way */
	EXPECT(elevator_next(&e, true) == (int)place[4]);
	take(&e, (int)place[4]);
	EXPECT(elevator_next(&e, false) == (int)place[5]);
	take(&e, (int)place[5]);
	EXPECT(elevator_next(&e, true) == -1 && e.nr == 0);
}

/* A stream of later requests right at the head does not keep an older one away for ever. */
static void patience(void)
{
	struct elevator e = {.head = 100};
	int old = (int)elevator_add(&e, 10, false);
	unsigned int passed = 0;

	for (; passed < 200; passed++) {
		int next;

		elevator_add(&e, e.head, false);
		next = elevator_next(&e, false);
		if (next == old)
			break;
		take(&e, next);
	}
	EXPECT(passed > 50 && passed < 70);
}

static void extents(void)
{
	struct vbd v = {.nr_extents = 2, .extent = {{100, 10}, {50, 5}}};
	u64 at, nr;

	EXPECT(vbd_find(&v, 0, &at, &nr) && at == 100 && nr == 10);
	EXPECT(vbd_find(&v, 9, &at, &nr) && at == 109 && nr == 1);
	EXPECT(vbd_find(&v, 10, &at, &nr) && at == 50 && nr == 5);
	EXPECT(vbd_find(&v, 14, &at, &nr) && at == 54 && nr == 1);
	EXPECT(!vbd_find(&v, 15, &at, &nr));
	EXPECT(!vbd_find(&v, ~0ull, &at, &nr));
}

static void make_memory(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		void *base = i ? (void *)(DISK_BASE + DISK_WINDOW) : (void *)DIRECT_MAP_BASE;
		size_t size = i ? SECTORS * SECTOR_SIZE : PAGES * PAGE_SIZE;

		if (mmap(base, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != base)
			abort();
	}
	disks[DISK_DATA] =
	    (struct disk){.nr_sectors = SECTORS, .writable = true, .latency_ns = 100000};
}

static u32 ring_page = RING_PAGE; /* of the front end that is looked at */

static blkif_sring_t *sring(void)
{
	return mfn_to_virt(mfn(ring_page));
}

static void attach(unsigned int i, unsigned int parts)
{
	vbd_share(parts);
	dom[i].id = (u16)(i + 1);
	EXPECT(vbd_attach(&dom[i]) == 0);
}

static struct vbd *device(unsigned int i)
{
	return vbds[DISK_DATA][i + 1];
}

static void connect(unsigned int i)
{
	front_ring = ring_page;
	front_port = 7;
	front_state = XenbusStateInitialised;
	SHARED_RING_INIT(sring());
	written(&dom[i]);
	EXPECT(device(i)->state == VBD_CONNECTED);
}

static void lies(void)
{
	attach(0, 1);
	EXPECT(back_state[0] == '2');
	front_state = ~0u; /* none, or no number */
	written(&dom[0]);
	front_state = 77;
	written(&dom[0]);
	EXPECT(device(0)->state == VBD_WAITING);
	front_state = XenbusStateInitialised;
	front_ring = 1000;
	front_port = 7;
	written(&dom[0]);
	EXPECT(device(0)->state == VBD_CLOSED && back_state[0] == '5' && held == 0);
	front_state = XenbusStateInitialising;
	written(&dom[0]);
	EXPECT(device(0)->state == VBD_WAITING && back_state[0] == '2');
	front_state = XenbusStateConnected;
	front_ring = RING_PAGE;
	front_port = 8;
	written(&dom[0]);
	EXPECT(device(0)->state == VBD_CLOSED && held == 0);
	front_state = XenbusStateInitialising;
	written(&dom[0]);
	connect(0);
	EXPECT(back_state[0] == '4' && held == 1);
	front_ring = 5; /* too late to be of interest */
	written(&dom[0]);
	EXPECT(held == 1);
	front_state = XenbusStateClosing;
	written(&dom[0]);
	EXPECT(back_state[0] == '5' && held == 0);
	EXPECT(vbd_release(&dom[0]) && !vbds[DISK_DATA][1]);
}

static void put(RING_IDX at, u8 op, u64 sector, u32 ref, u8 first, u8 last)
{
	sring()->ring[at % 32].req = (struct blkif_request){
	    .operation = op,
	    .nr_segments = op == BLKIF_OP_FLUSH_DISKCACHE ? 0 : 1,
	    .id = at,
	    .sector_number = sector,
	    .seg = {{ref, first, last}},
	};
}

static int status_of(RING_IDX at)
{
	return sring()->ring[at % 32].rsp.status;
}

/* Write, flush, read; the flush is answered after the write, the read starts after it. */
static void in_order(void)
{
	u64 start;

	attach(0, 2);
	connect(0);
	memset(mfn_to_virt(mfn(1)), 0x5a, PAGE_SIZE);
	put(0, BLKIF_OP_WRITE, 16, 1, 0, 7);
	put(1, BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0, 0);
	put(2, BLKIF_OP_READ, 16, 2, 3, 3);
	put(3, BLKIF_OP_READ, SECTORS / 2 - 1, 2, 4, 5); /* half of it beyond its end */
	put(4, BLKIF_OP_WRITE, 0, FORBIDDEN, 0, 7);	 /* not granted */
	put(5, BLKIF_OP_WRITE, ~0ull, 1, 0, 7);		 /* far away */
	put(6, BLKIF_OP_WRITE, 0, 1, 5, 4);		 /* backwards */
	put(7, BLKIF_OP_WRITE, 0, 1, 0, 8);		 /* beyond its page */
	put(8, BLKIF_OP_INDIRECT, 0, 1, 0, 7);
	sring()->req_prod = 9;
	start = now;
	EXPECT(blkback_service(&dom[0]));
	EXPECT(sring()->rsp_prod == 4); /* those that are wrong in themselves, at once */
	pass(start + 99999);
	EXPECT(sring()->rsp_prod == 4);
	pass(start + 100000);
	EXPECT(sring()->rsp_prod == 6); /* the write, and the flush after it */
	EXPECT(sring()->ring[4].rsp.id == 0 && sring()->ring[5].rsp.id == 1);
	pass(start + 200000);
	EXPECT(sring()->rsp_prod == 9);
	for (RING_IDX i = 0; i < 9; i++) {
		u64 id = sring()->ring[i].rsp.id;

		EXPECT(status_of(i) == (id <= 2	  ? BLKIF_RSP_OKAY
					: id == 8 ? BLKIF_RSP_EOPNOTSUPP
						  : BLKIF_RSP_ERROR));
	}
	EXPECT(((u8 *)mfn_to_virt(mfn(2)))[3 * 512] == 0x5a);
	EXPECT(((u8 *)mfn_to_virt(mfn(2)))[3 * 512 - 1] == 0);
	EXPECT(((u8 *)mfn_to_virt(mfn(2)))[4 * 512] == 0);
	EXPECT(held == 1 && events > 0);
	EXPECT(vbd_release(&dom[0]) && held == 0);
	pass(now + MS);
}

/* More than fits while answers are due, and writes where they may not be. */
static void too_many(void)
{
	attach(0, 2);
	connect(0);
	device(0)->writable = false;
	for (RING_IDX i = 0; i < 32; i++)
		put(i, i < 31 ? BLKIF_OP_READ : BLKIF_OP_WRITE, i * 8, 2, 0, 7);
	sring()->req_prod = 32;
	EXPECT(blkback_service(&dom[0]));
	EXPECT(sring()->rsp_prod == 1 && sring()->ring[0].rsp.id == 31);
	EXPECT(sring()->ring[0].rsp.status == BLKIF_RSP_ERROR && device(0)->writes == 0);
	sring()->req_prod = 33;
	EXPECT(blkback_service(&dom[0]) && device(0)->state == VBD_CONNECTED);
	sring()->req_prod = 35;
	EXPECT(blkback_service(&dom[0]) && device(0)->state == VBD_CLOSED);
	EXPECT(back_state[0] == '5' && held == 0);
	pass(now + MS);
	EXPECT(vbd_release(&dom[0]));
}

/* What a domain that ended had at the disk reaches nobody, least of all its successor. */
static void ends_in_flight(void)
{
	attach(0, 2);
	connect(0);
	put(0, BLKIF_OP_READ, 0, 2, 0, 7);
	sring()->req_prod = 1;
	EXPECT(blkback_service(&dom[0]));
	EXPECT(vbd_release(&dom[0]) && held == 0);
	attach(0, 2);
	connect(0);
	pass(now + MS);
	EXPECT(sring()->rsp_prod == 0 && device(0)->in_flight == 0);
	EXPECT(vbd_release(&dom[0]));
}

/* Connects front end i with n writes to distinct sectors in its ring, a flush at place `flush`. */
static void fill_ring(unsigned int i, RING_IDX n, RING_IDX flush)
{
	ring_page = i ? OTHER_RING : RING_PAGE;
	connect(i);
	for (RING_IDX at = 0; at < n; at++)
		put(at, at == flush ? BLKIF_OP_FLUSH_DISKCACHE : BLKIF_OP_WRITE, at * 8, 2, 0, 7);
	sring()->req_prod = n;
	blkback_service(&dom[i]);
}

static RING_IDX answers(unsigned int i)
{
	ring_page = i ? OTHER_RING : RING_PAGE;
	return sring()->rsp_prod;
}

/*
 * The disk's rate lets five requests start in a tick. One front end has a ring full of them; the
 * other comes later with four, and gets every second place.
 */
static void fair(void)
{
	u64 start = now + 1000 * MS;

	pass(start);
	disk_set_rate(&disks[DISK_DATA], 1);
	attach(0, 2);
	attach(1, 2);
	fill_ring(0, 32, 99);
	fill_ring(1, 4, 99);
	pass(start + MS);
	EXPECT(answers(0) == 5 && answers(1) == 0);
	pass(start + 21 * MS);
	EXPECT(answers(0) + answers(1) == 10 && answers(1) >= 2);
	pass(start + 41 * MS);
	EXPECT(answers(0) + answers(1) == 15 && answers(1) == 4);
	pass(start + 200 * MS);
	EXPECT(answers(0) == 32);
	disk_set_rate(&disks[DISK_DATA], 0);
	EXPECT(vbd_release(&dom[0]) && vbd_release(&dom[1]) && held == 0);
}

/* A flush holds up what came after it on its own device, and nobody else. */
static void flush_is_ones_own(void)
{
	u64 start = now;

	attach(0, 2);
	attach(1, 2);
	fill_ring(0, 3, 1);
	pass(start + 50000);
	fill_ring(1, 1, 99);
	pass(start + 100000);
	EXPECT(answers(0) == 2);
	pass(start + 150000);
	EXPECT(answers(0) == 2 && answers(1) == 1);
	pass(start + 200000);
	EXPECT(answers(0) == 3);
	EXPECT(vbd_release(&dom[0]) && vbd_release(&dom[1]) && held == 0);
	ring_page = RING_PAGE;
}

/* A due timer stops the work after each request; the rest goes on later, and none is lost. */
static void interrupted(void)
{
	attach(0, 2);
	fake_impatient = true;
	fill_ring(0, 32, 16);
	EXPECT(answers(0) == 0 && device(0)->elevator.nr > 15);
	for (unsigned int i = 0; i < 100; i++) {
		blkback_service(&dom[0]);
		pass(now + 10000);
	}
	fake_impatient = false;
	pass(now + MS);
	EXPECT(answers(0) == 32);
	EXPECT(vbd_release(&dom[0]) && held == 0);
}

static void nonsense(unsigned int rounds)
{
	u8 *disk = disk_at(&disks[DISK_DATA], 0);
	u8 *guest = mfn_to_virt(mfn(0));
	unsigned int broken = 0, answered = 0;

	memset(disk, 0xd0, SECTORS * SECTOR_SIZE);
	for (unsigned int n = FORBIDDEN; n < PAGES; n++)
		memset(guest + n * PAGE_SIZE, 0x77, PAGE_SIZE);
	attach(0, 2);
	attach(1, 2);
	for (unsigned int i = 0; i < rounds; i++) {
		struct vbd *v = device(0);

		if (v->state != VBD_CONNECTED) {
			broken++;
			front_state = XenbusStateInitialising;
			written(&dom[0]);
			connect(0);
		}
		for (unsigned int n = 0; n < PAGE_SIZE; n++)
			if (n >= 64 && rand() % 4)
				guest[n] = (u8)(rand() % 3 ? rand() % 12 : rand());
		for (unsigned int n = 0; n < 32; n++)
			if (rand() % 2)
				put(n, (u8)(rand() % 4), (u64)rand() % SECTORS, (u32)rand() % PAGES,
				    (u8)(rand() % 8), (u8)(rand() % 9));
		sring()->req_prod =
		    v->ring.rsp_prod_pvt + (RING_IDX)(rand() % 64 ? rand() % 40 : rand());
		blkback_service(&dom[0]);
		pass(now + (u64)(rand() % 300000));
		answered += sring()->rsp_prod != 0;
		EXPECT(held == (v->state == VBD_CONNECTED));
	}
	EXPECT(broken > 10 && answered > rounds / 4);
	for (unsigned int n = FORBIDDEN * PAGE_SIZE; n < PAGES * PAGE_SIZE; n++)
		if (guest[n] != 0x77)
			EXPECT(!"a page that was not granted");
	for (unsigned int n = SECTORS / 2 * SECTOR_SIZE; n < SECTORS * SECTOR_SIZE; n++)
		if (disk[n] != 0xd0)
			EXPECT(!"another device's sectors");
	EXPECT(vbd_release(&dom[0]) && vbd_release(&dom[1]) && held == 0);
}

int main(void)
{
	disk_time();
	order();
	patience();
	extents();
	make_memory();
	lies();
	in_order();
	ends_in_flight();
	too_many();
	fair();
	flush_is_ones_own();
	interrupted();
	log_level = LOG_ERROR;
	nonsense(3000);
	return unit_failures != 0;
}

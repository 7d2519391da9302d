// SPDX-License-Identifier: MIT
/*
 * The block back end: requests from rings to disks, and answers back.
 *
 * An event of a front end moves all its new requests out of the ring to the device's elevator;
 * from there they go to the disk, one of each device in turn, as long as the disk has room (DEPTH)
 * and its rate allows. Data is copied between disk and the guest's pages when a request starts, so
 * pages are held no longer than that, and revoking a grant or ending a domain finds none in use;
 * the answer is given when the disk's time is over. A flush starts when all before it has ended,
 * and nothing after it starts before; then there is nothing for it to do, as a RAM disk forgets
 * nothing.
 *
 * Requests are started in the time of the domain whose event it is; those that had to wait, when
 * others end, at most so many at once (TURN). The rest goes on at the next alarm, after as much
 * time for the guests as it took.
 *
 * All a guest can do is in its ring: indices are checked against what the ring can hold, requests
 * copied before they are looked at. A request that is no good is answered with an error; indices
 * that make no sense close the device.
 */
#include <hv/blkback.h>
#include <hv/alarm.h>
#include <hv/clock.h>
#include <hv/evtchn.h>
#include <hv/printk.h>
#include <hv/sched.h>

#define DEPTH	    64 /* requests that a disk works on at a time, as null_blk does */
#define TURN	    16
#define LAST_SECTOR (PAGE_SIZE / SECTOR_SIZE - 1)

struct flight {
	struct vbd *vbd; /* NULL: nobody waits for it */
	u64 id;
	u8 operation;
	int16_t status;
	u64 due;
};

/* A disk at work. Its latency is the same for all, so they end in the order of their starts. */
struct station {
	struct alarm alarm; /* first, so that its alarm tells which */
	unsigned int turn;  /* the domain whose device is next */
	unsigned int waiting;
	unsigned int first, nr;
	struct flight flight[DEPTH];
};

static struct station stations[NR_DISKS];

static void on_alarm(struct alarm *a);

static struct station *station_of(const struct vbd *v)
{
	return &stations[v->disk - disks];
}

static void answer(struct vbd *v, u64 id, u8 operation, int16_t status)
{
	*RING_GET_RESPONSE(&v->ring, v->ring.rsp_prod_pvt++) =
	    (struct blkif_response){.id = id, .operation = operation, .status = status};
	v->answered = true;
	v->refused += status != BLKIF_RSP_OKAY;
}

static void show_answers(struct vbd *v)
{
	bool notify;

	if (!v || !v->answered)
		return;
	v->answered = false;
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&v->ring, notify);
	if (notify)
		evtchn_set_pending(v->domain, v->port);
}

/* Number of sectors of a read or write; 0 if its segments make no sense. */
static u64 count_sectors(const struct blkif_request *r)
{
	u64 n = 0;

	if (r->nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		return 0;
	for (unsigned int i = 0; i < r->nr_segments; i++) {
		if (r->seg[i].last_sect > LAST_SECTOR || r->seg[i].first_sect > r->seg[i].last_sect)
			return 0;
		n += r->seg[i].last_sect - r->seg[i].first_sect + 1u;
	}
	return n;
}

/* Between a granted page and the device's sectors, which may lie in several extents. */
static bool copy_segment(struct vbd *v, const struct blkif_request_segment *seg, u64 sector,
			 bool to_guest)
{
	u64 left = seg->last_sect - seg->first_sect + 1u;
	struct held page;
	u8 *at;
	bool found = true;

	if (grant_hold(v->domain, seg->gref, to_guest, &page) != GNTST_okay)
		return false;
	at = (u8 *)mfn_to_virt(page.mfn) + seg->first_sect * SECTOR_SIZE;
	while (left && found) {
		u64 on_disk, nr;

		found = vbd_find(v, sector, &on_disk, &nr);
		if (!found)
			break;
		nr = MIN(nr, left);
		if (to_guest)
			memcpy(at, disk_at(v->disk, on_disk), nr * SECTOR_SIZE);
		else
			memcpy(disk_at(v->disk, on_disk), at, nr * SECTOR_SIZE);
		at += nr * SECTOR_SIZE;
		sector += nr;
		left -= nr;
	}
	grant_release(&page);
	return found;
}

static int16_t transfer(struct vbd *v, const struct blkif_request *r)
{
	bool to_guest = r->operation == BLKIF_OP_READ;
	u64 sector = r->sector_number;

	for (unsigned int i = 0; i < r->nr_segments; i++) {
		const struct blkif_request_segment *seg = &r->seg[i];

		if (!copy_segment(v, seg, sector, to_guest))
			return BLKIF_RSP_ERROR;
		sector += seg->last_sect - seg->first_sect + 1u;
	}
	if (to_guest)
		v->reads++;
	else
		v->writes++;
	return BLKIF_RSP_OKAY;
}

static void alarm_by(struct station *s, u64 when)
{
	s->alarm.ring = on_alarm;
	if (!s->alarm.set || s->alarm.due > when)
		alarm_set(&s->alarm, when);
}

/* Carries a request out; its end is now, or when the disk's time is over. */
static void start(struct vbd *v, const struct blkif_request *r)
{
	struct station *s = station_of(v);
	int16_t status = BLKIF_RSP_OKAY;
	struct flight *f;

	if (r->operation != BLKIF_OP_FLUSH_DISKCACHE)
		status = transfer(v, r);
	if (r->operation == BLKIF_OP_FLUSH_DISKCACHE || !v->disk->latency_ns) {
		answer(v, r->id, r->operation, status);
		return;
	}
	f = &s->flight[(s->first + s->nr++) % DEPTH];
	*f = (struct flight){v, r->id, r->operation, status, clock_now() + v->disk->latency_ns};
	v->in_flight++;
	alarm_by(s, f->due);
}

/* The next device with something that may start, and which that is; NULL if there is none. */
static struct vbd *next_in_turn(struct station *s, unsigned int *place)
{
	struct vbd **of = vbds[s - stations];

	for (unsigned int n = 0; n < MAX_DOMAINS; n++) {
		struct vbd *v = of[(s->turn + n) % MAX_DOMAINS];
		int next = v ? elevator_next(&v->elevator, !v->in_flight) : -1;

		if (next < 0)
			continue;
		s->turn = (s->turn + n) % MAX_DOMAINS;
		*place = (unsigned int)next;
		return v;
	}
	return NULL;
}

/* Starts what may start, at most `turn` requests. False if that ended it, or a due timer. */
static bool start_waiting(struct station *s, unsigned int turn)
{
	for (unsigned int n = 0; s->waiting && s->nr < DEPTH; n++) {
		unsigned int place;
		struct vbd *v;
		struct blkif_request *r;
		u64 sectors, again;

		if (n == turn || (n && sched_should_preempt()))
			return false;
		v = next_in_turn(s, &place);
		if (!v)
			break;
		r = &v->request[place];
		sectors = r->operation == BLKIF_OP_FLUSH_DISKCACHE ? 0 : count_sectors(r);
		again = disk_start(v->disk, clock_now(), sectors * SECTOR_SIZE);
		if (again) {
			alarm_by(s, again);
			break;
		}
		s->turn = (s->turn + 1) % MAX_DOMAINS;
		s->waiting--;
		elevator_take(&v->elevator, place, r->sector_number + sectors);
		start(v, r);
	}
	return true;
}

static void show_all_answers(struct station *s)
{
	for (unsigned int i = 0; i < MAX_DOMAINS; i++)
		show_answers(vbds[s - stations][i]);
}

static void on_alarm(struct alarm *a)
{
	struct station *s = (struct station *)a;
	u64 began = clock_now();

	while (s->nr && s->flight[s->first].due <= began) {
		struct flight *f = &s->flight[s->first];

		s->first = (s->first + 1) % DEPTH;
		s->nr--;
		if (!f->vbd)
			continue;
		f->vbd->in_flight--;
		answer(f->vbd, f->id, f->operation, f->status);
	}
	if (!start_waiting(s, TURN))
		alarm_by(s, 2 * clock_now() - began);
	if (s->nr)
		alarm_by(s, s->flight[s->first].due);
	show_all_answers(s);
}

/* Whether a request may be carried out at all; else it is answered at once. */
static bool acceptable(const struct vbd *v, const struct blkif_request *r, int16_t *status)
{
	u64 on_disk, nr;

	*status = BLKIF_RSP_ERROR;
	switch (r->operation) {
	case BLKIF_OP_WRITE:
		if (!v->writable)
			return false;
		return count_sectors(r) && vbd_find(v, r->sector_number, &on_disk, &nr);
	case BLKIF_OP_READ:
		return count_sectors(r) && vbd_find(v, r->sector_number, &on_disk, &nr);
	case BLKIF_OP_FLUSH_DISKCACHE:
		return r->nr_segments == 0;
	default:
		*status = BLKIF_RSP_EOPNOTSUPP;
		return false;
	}
}

/* Moves new requests to the elevator. */
static void take_requests(struct vbd *v)
{
	RING_IDX prod = READ_ONCE(v->ring.sring->req_prod);
	unsigned int not_answered = v->ring.req_cons - v->ring.rsp_prod_pvt;

	if (prod - v->ring.req_cons > RING_SIZE(&v->ring) - not_answered) {
		vbd_break(v, "more requests than its ring holds");
		return;
	}
	while (v->ring.req_cons != prod) {
		struct blkif_request r;
		int16_t status;

		RING_COPY_REQUEST(&v->ring, v->ring.req_cons, &r);
		v->ring.req_cons++;
		if (acceptable(v, &r, &status)) {
			bool flush = r.operation == BLKIF_OP_FLUSH_DISKCACHE;

			v->request[elevator_add(&v->elevator, r.sector_number, flush)] = r;
			station_of(v)->waiting++;
		} else {
			answer(v, r.id, r.operation, status);
		}
	}
}

/* Asks for an event when there is more than was seen; true if there is already. */
static bool more_meanwhile(struct vbd *v)
{
	WRITE_ONCE(v->ring.sring->req_event, v->ring.req_cons + 1);
	xen_mb();
	return READ_ONCE(v->ring.sring->req_prod) != v->ring.req_cons;
}

static bool serve(struct vbd *v)
{
	bool timely = true;

	if (!v || v->state != VBD_CONNECTED)
		return true;
	take_requests(v);
	if (v->state != VBD_CONNECTED)
		return true;
	timely = start_waiting(station_of(v), ELEVATOR_MAX);
	if (more_meanwhile(v))
		timely = false; /* only while somebody else writes the ring: it is one processor */
	show_all_answers(station_of(v));
	return timely;
}

bool blkback_service(struct domain *d)
{
	bool timely = true;

	for (unsigned int i = 0; i < NR_DISKS; i++)
		timely &= serve(vbds[i][d->id]);
	return timely;
}

void blkback_start(struct vbd *v)
{
	BACK_RING_ATTACH(&v->ring, (blkif_sring_t *)mfn_to_virt(v->page.mfn), 0, PAGE_SIZE);
	serve(v); /* what it put there before we looked */
}

void blkback_stop(struct vbd *v)
{
	struct station *s = station_of(v);

	s->waiting -= v->elevator.nr;
	memset(&v->elevator, 0, sizeof(v->elevator));
	for (unsigned int i = 0; i < s->nr; i++) {
		struct flight *f = &s->flight[(s->first + i) % DEPTH];

		if (f->vbd == v)
			f->vbd = NULL;
	}
	v->in_flight = 0;
	v->answered = false;
}

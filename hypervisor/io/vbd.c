// SPDX-License-Identifier: MIT
/*
 * Devices: one on each disk for each domain, connected through the store.
 *
 * Both ends' directories are in the store before the guest runs, ours in state InitWait. The front
 * end writes its ring reference and its port and then its state; that write calls us. Whatever it
 * wrote is only tried: a reference that is no good, or a port that is not open to us, closes our
 * end with a line that says why.
 */
#include <hv/vbd.h>
#include <hv/blkback.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/printk.h>
#include <hv/store.h>
#include <xen/io/xenbus.h>

#define ALIGNMENT 8 /* sectors */

struct vbd *vbds[NR_DISKS][MAX_DOMAINS];
static unsigned int nr_parts = 1;

/* As Linux numbers xvda and xvdb. */
static const unsigned int numbers[NR_DISKS] = {
    [DISK_ROOT] = 202 << 8,
    [DISK_DATA] = 202 << 8 | 1 << 4,
};

void vbd_share(unsigned int parts)
{
	nr_parts = parts;
}

bool vbd_find(const struct vbd *v, u64 sector, u64 *on_disk, u64 *nr)
{
	for (unsigned int i = 0; i < v->nr_extents; i++) {
		if (sector < v->extent[i].nr) {
			*on_disk = v->extent[i].start + sector;
			*nr = v->extent[i].nr - sector;
			return true;
		}
		sector -= v->extent[i].nr;
	}
	return false;
}

static u64 sectors_of(const struct vbd *v)
{
	u64 n = 0;

	for (unsigned int i = 0; i < v->nr_extents; i++)
		n += v->extent[i].nr;
	return n;
}

/* node of the front end's directory, or of ours. */
static const char *path_of(const struct vbd *v, bool front, const char *node)
{
	static char path[96];

	if (front)
		format(path, sizeof(path), "device/vbd/%u/%s", v->number, node);
	else
		format(path, sizeof(path), "/local/domain/0/backend/vbd/%u/%u/%s", v->domain->id,
		       v->number, node);
	return path;
}

static void write_text(struct vbd *v, bool front, const char *node, const char *text)
{
	if (store_write(v->domain, path_of(v, front, node), "%s", text) < 0)
		print_warn("d%u: no room in the store for %s of device %u\n", v->domain->id, node,
			   v->number);
}

static void write_number(struct vbd *v, bool front, const char *node, u64 n)
{
	char text[24];

	format(text, sizeof(text), "%lu", n);
	write_text(v, front, node, text);
}

static void set_state(struct vbd *v, enum xenbus_state state)
{
	write_number(v, false, "state", state);
}

static void disconnect(struct vbd *v)
{
	if (v->state != VBD_CONNECTED)
		return;
	blkback_stop(v);
	evtchn_leave(v->domain, v->port);
	grant_release(&v->page);
	v->state = VBD_CLOSED;
}

static void close(struct vbd *v, enum xenbus_state state)
{
	disconnect(v);
	v->state = VBD_CLOSED;
	set_state(v, state);
}

void vbd_break(struct vbd *v, const char *why)
{
	if (!v->complained)
		print_warn("d%u: block device %u is closed: %s\n", v->domain->id, v->number, why);
	v->complained = true;
	close(v, XenbusStateClosing);
}

static bool event(struct domain *d)
{
	return blkback_service(d);
}

static void connect(struct vbd *v)
{
	u32 ref, port;

	if (!store_read_u32(v->domain, path_of(v, true, "ring-ref"), &ref) ||
	    !store_read_u32(v->domain, path_of(v, true, "event-channel"), &port)) {
		vbd_break(v, "its front end wrote no ring-ref or no event-channel");
		return;
	}
	if (grant_hold(v->domain, ref, true, &v->page) != GNTST_okay) {
		vbd_break(v, "the grant of its ring is no good");
		return;
	}
	if (evtchn_join(v->domain, port, event) < 0) {
		grant_release(&v->page);
		vbd_break(v, "its port is not open to us");
		return;
	}
	v->port = port;
	v->state = VBD_CONNECTED;
	write_number(v, false, "sectors", sectors_of(v));
	write_number(v, false, "sector-size", SECTOR_SIZE);
	write_number(v, false, "info", v->writable ? 0 : VDISK_READONLY);
	set_state(v, XenbusStateConnected);
	blkback_start(v);
}

/* The front end wrote its state. */
static void front_changed(struct vbd *v)
{
	u32 state;

	if (!store_read_u32(v->domain, path_of(v, true, "state"), &state))
		return;
	switch (state) {
	case XenbusStateInitialising:
		if (v->state != VBD_CLOSED)
			break;
		v->state = VBD_WAITING;
		set_state(v, XenbusStateInitWait);
		break;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		if (v->state == VBD_WAITING)
			connect(v);
		break;
	case XenbusStateClosing:
	case XenbusStateClosed:
		close(v, state);
		break;
	default:
		break;
	}
}

static void store_written(struct domain *d)
{
	for (unsigned int i = 0; i < NR_DISKS; i++)
		if (vbds[i][d->id])
			front_changed(vbds[i][d->id]);
}

/*
 * What a front end finds; all else that it could ask for it takes for not offered. So it takes the
 * disk for one without a cache that writes could be lost from, which is true, and sends no flushes.
 */
static void publish(struct vbd *v)
{
	char text[64];

	format(text, sizeof(text), "/local/domain/0/backend/vbd/%u/%u", v->domain->id, v->number);
	write_text(v, true, "backend", text);
	write_number(v, true, "backend-id", 0);
	write_number(v, true, "virtual-device", v->number);
	write_text(v, true, "device-type", "disk");
	write_number(v, true, "state", XenbusStateInitialising);
	format(text, sizeof(text), "/local/domain/%u/device/vbd/%u", v->domain->id, v->number);
	write_text(v, false, "frontend", text);
	write_number(v, false, "frontend-id", v->domain->id);
	write_number(v, false, "online", 1);
	write_text(v, false, "mode", v->writable ? "w" : "r");
	set_state(v, XenbusStateInitWait);
}

/* All of a disk that is only read; of the data disk the domain's part. */
static struct extent part_of(const struct domain *d, const struct disk *k)
{
	u64 nr = k->nr_sectors / nr_parts / ALIGNMENT * ALIGNMENT;

	if (!k->writable)
		return (struct extent){.nr = k->nr_sectors};
	return (struct extent){.start = (d->id - 1u) % nr_parts * nr, .nr = nr};
}

int vbd_attach(struct domain *d)
{
	store_on_write("device/vbd", store_written);
	for (unsigned int i = 0; i < NR_DISKS; i++) {
		struct vbd *v;

		if (!disks[i].nr_sectors)
			continue;
		v = domain_page_alloc(d);
		if (!v)
			return trace_error(-ENOMEM);
		vbds[i][d->id] = v;
		v->request = domain_page_alloc(d);
		if (!v->request)
			return trace_error(-ENOMEM);
		v->domain = d;
		v->disk = &disks[i];
		v->number = numbers[i];
		v->writable = disks[i].writable;
		v->extent[0] = part_of(d, v->disk);
		v->nr_extents = 1;
		publish(v);
	}
	return 0;
}

bool vbd_release(struct domain *d)
{
	for (unsigned int i = 0; i < NR_DISKS; i++) {
		struct vbd *v = vbds[i][d->id];

		if (!v)
			continue;
		disconnect(v);
		print_info("d%u: block device %u: %lu reads, %lu writes, %lu refused\n", d->id,
			   v->number, v->reads, v->writes, v->refused);
		page_free(v->request);
		page_free(v);
		vbds[i][d->id] = NULL;
	}
	return true;
}

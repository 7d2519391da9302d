// SPDX-License-Identifier: MIT
/*
 * Network cards: virtio-net by the virtio 1.x interface over PCI.
 *
 * The modern interface, not the legacy one of I/O ports: it costs a walk over the capabilities, and
 * in return queues need no contiguous memory and a card without the legacy half works too. One
 * queue in each direction, no offloads, no control queue; so the card receives everything on the
 * wire, and io/netback.c picks by address. Both queues share one interrupt.
 *
 * What is sent is a head in memory of ours, so that nobody can change what was checked, and pieces
 * in memory of a guest. What is received comes into buffers of ours. A card that contradicts itself
 * is reset, and if it does not do that, cut off from the bus: after that it touches no memory.
 */
#include <hv/nic.h>
#include <hv/frame.h>
#include <hv/lapic.h>
#include <hv/pci.h>
#include <hv/printk.h>
#include <hv/virtqueue.h>

#define VENDOR_VIRTIO	0x1af4
#define DEVICE_NET	0x1041
#define DEVICE_NET_DUAL 0x1000 /* has the legacy interface too */

#define CAP_TYPE   3 /* offsets in a capability */
#define CAP_BAR	   4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_FACTOR 16
enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_DEVICE = 4 };

#define STATUS_FOUND	   1
#define STATUS_DRIVER	   2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8

#define FEATURE_MAC	(1ull << 5)
#define FEATURE_VERSION (1ull << 32)

#define RX	    0
#define TX	    1
#define NO_VECTOR   0xffff
#define PATIENCE    100000
#define NET_HEADER  12	 /* struct virtio_net_hdr; without offloads all zero */
#define ETHERNET    14	 /* no packet is shorter */
#define RX_BUFFER   2048 /* two in a page */
#define HEAD_STRIDE 128

/* struct virtio_pci_common_cfg */
struct common_cfg {
	u32 device_feature_select, device_feature;
	u32 driver_feature_select, driver_feature;
	u16 config_vector, nr_queues;
	u8 status, generation;
	u16 queue_select, queue_size, queue_vector, queue_enable, queue_notify_off;
	u32 queue_desc[2], queue_avail[2], queue_used[2];
};
static_assert(sizeof(struct common_cfg) == 56, "as in the standard");
static_assert(NET_HEADER + NIC_HEAD <= HEAD_STRIDE, "a head fits its place");

struct nic {
	struct pci_device pci;
	bool alive;
	u8 mac[6];
	volatile struct common_cfg *common;
	volatile u16 *doorbell[2];
	struct virtqueue queue[2];
	u8 *head[NIC_SLOTS * HEAD_STRIDE / PAGE_SIZE];	/* one place per descriptor of TX */
	u8 *buffer[VIRTQ_SIZE * RX_BUFFER / PAGE_SIZE]; /* one per descriptor of RX */
	unsigned int in_hand; /* descriptor of the packet that nic_received() gave out */
	bool holding;
};

static struct nic nics[NIC_MAX];
static unsigned int nr_nics;

unsigned int nic_count(void)
{
	return nr_nics;
}

const u8 *nic_mac(unsigned int card)
{
	return nics[card].mac;
}

static paddr_t paddr_of(const void *p)
{
	return paddr((u64)p - DIRECT_MAP_BASE);
}

static u8 *head_of(struct nic *n, unsigned int desc)
{
	return n->head[desc / (PAGE_SIZE / HEAD_STRIDE)] +
	       desc % (PAGE_SIZE / HEAD_STRIDE) * HEAD_STRIDE;
}

static u8 *buffer_of(struct nic *n, unsigned int desc)
{
	return n->buffer[desc / 2] + desc % 2 * RX_BUFFER;
}

static bool reset(struct nic *n)
{
	n->common->status = 0;
	for (int i = 0; i < PATIENCE; i++)
		if (n->common->status == 0)
			return true;
	return false;
}

/* A card that does not even do a reset is kept from memory by its bus. */
static void stop(struct nic *n)
{
	n->alive = false;
	if (!n->common || !reset(n))
		pci_disable(&n->pci);
}

void nic_give_up(unsigned int card, const char *why)
{
	if (!nics[card].alive)
		return;
	stop(&nics[card]);
	print_error("network card %u: %s; it is not used any more\n", card, why);
	nic_died(card);
}

bool nic_alive(unsigned int card)
{
	return nics[card].alive;
}

bool nic_room(unsigned int card)
{
	return nics[card].alive && nics[card].queue[TX].nr_free > NIC_PIECES;
}

u8 *nic_head(unsigned int card)
{
	return head_of(&nics[card], nics[card].queue[TX].free_head) + NET_HEADER;
}

unsigned int nic_send(unsigned int card, u32 head_len, const struct nic_piece *piece,
		      unsigned int nr)
{
	struct virtq_buffer buffer[1 + NIC_PIECES];
	struct nic *n = &nics[card];
	struct virtqueue *q = &n->queue[TX];

	buffer[0] = (struct virtq_buffer){.at = paddr_of(head_of(n, q->free_head)),
					  .len = NET_HEADER + head_len};
	for (unsigned int i = 0; i < nr; i++)
		buffer[i + 1] = (struct virtq_buffer){.at = piece[i].at, .len = piece[i].len};
	return virtqueue_add(q, buffer, nr + 1);
}

void nic_flush(unsigned int card)
{
	struct nic *n = &nics[card];

	for (unsigned int i = RX; n->alive && i <= TX; i++)
		if (virtqueue_publish(&n->queue[i]))
			*n->doorbell[i] = (u16)i;
}

int nic_sent(unsigned int card)
{
	struct nic *n = &nics[card];
	struct virtqueue *q = &n->queue[TX];
	unsigned int head;
	u32 len;

	if (!n->alive)
		return -1;
	switch (virtqueue_take(q, &head, &len)) {
	case VIRTQ_NONE:
		return -1;
	case VIRTQ_LIE:
		nic_give_up(card, "it says it sent what it was not given");
		return -1;
	default:
		virtqueue_free(q, head, q->chain[head]);
		return (int)head;
	}
}

void nic_received_done(unsigned int card)
{
	struct nic *n = &nics[card];

	if (n->holding && n->alive)
		virtqueue_again(&n->queue[RX], n->in_hand);
	n->holding = false;
}

const u8 *nic_received(unsigned int card, u32 *len)
{
	struct nic *n = &nics[card];

	while (n->alive) {
		switch (virtqueue_take(&n->queue[RX], &n->in_hand, len)) {
		case VIRTQ_NONE:
			return NULL;
		case VIRTQ_LIE:
			nic_give_up(card, "it says it filled what it was not given");
			return NULL;
		default:
			n->holding = true;
		}
		if (*len >= NET_HEADER + ETHERNET && *len <= RX_BUFFER) {
			*len -= NET_HEADER;
			return buffer_of(n, n->in_hand) + NET_HEADER;
		}
		nic_received_done(card);
	}
	return NULL;
}

static bool alloc_pages(u8 **page, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		page[i] = page_alloc();
		if (!page[i])
			return false;
	}
	return true;
}

static void set_address(volatile u32 *reg, const void *p)
{
	reg[0] = (u32)paddr_of(p).n;
	reg[1] = (u32)(paddr_of(p).n >> 32);
}

static const char *start_queue(struct nic *n, unsigned int i, volatile u8 *notify, u32 factor,
			       u32 notify_len)
{
	volatile struct common_cfg *c = n->common;
	u8 *area[3];
	u32 bell;

	c->queue_select = (u16)i;
	if (c->queue_size < VIRTQ_SIZE)
		return "its queues are too short";
	if (!alloc_pages(area, 3))
		return "no memory for its queues";
	virtqueue_init(&n->queue[i], VIRTQ_SIZE, (void *)area[0], (void *)area[1], (void *)area[2]);
	c->queue_size = VIRTQ_SIZE;
	set_address(c->queue_desc, area[0]);
	set_address(c->queue_avail, area[1]);
	set_address(c->queue_used, area[2]);
	c->queue_vector = 0;
	if (c->queue_vector == NO_VECTOR)
		return "it has no interrupt for its queues";
	bell = c->queue_notify_off * factor;
	if (bell > notify_len - sizeof(u16))
		return "its doorbells lie outside their region";
	n->doorbell[i] = (volatile u16 *)(notify + bell);
	c->queue_enable = 1;
	return NULL;
}

/* Maps the structure of the given type; *cap: where its capability is. */
static volatile void *find_config(const struct pci_device *p, unsigned int type, u32 *length,
				  unsigned int *cap)
{
	for (unsigned int nth = 0; (*cap = pci_capability(p, PCI_CAP_VENDOR, nth)); nth++) {
		if (pci_read(p, *cap) >> (8 * CAP_TYPE) != type)
			continue;
		*length = pci_read(p, *cap + CAP_LENGTH);
		return pci_map(p, pci_read(p, *cap + CAP_BAR) & 0xff,
			       pci_read(p, *cap + CAP_OFFSET), *length);
	}
	return NULL;
}

static bool negotiate(volatile struct common_cfg *c)
{
	u64 offered;

	c->device_feature_select = 0;
	offered = c->device_feature;
	c->device_feature_select = 1;
	offered |= (u64)c->device_feature << 32;
	if ((offered & (FEATURE_VERSION | FEATURE_MAC)) != (FEATURE_VERSION | FEATURE_MAC))
		return false;
	c->driver_feature_select = 0;
	c->driver_feature = (u32)FEATURE_MAC;
	c->driver_feature_select = 1;
	c->driver_feature = (u32)(FEATURE_VERSION >> 32);
	c->status = STATUS_FOUND | STATUS_DRIVER | STATUS_FEATURES_OK;
	return c->status & STATUS_FEATURES_OK;
}

static void fill_receive_queue(struct nic *n)
{
	for (unsigned int i = 0; i < VIRTQ_SIZE; i++) {
		/* The queue is fresh, so that descriptors come in order. */
		struct virtq_buffer b = {
		    .at = paddr_of(buffer_of(n, i)), .len = RX_BUFFER, .device_writes = true};

		virtqueue_add(&n->queue[RX], &b, 1);
	}
}

static void interrupt(unsigned int card)
{
	nic_event(card);
}

/* Returns what is wrong, or NULL. */
static const char *start(struct nic *n)
{
	const struct pci_device *p = &n->pci;
	volatile u8 *notify, *device;
	u32 common_len, notify_len, device_len, factor;
	const char *wrong;
	unsigned int cap;
	u8 vector;

	pci_enable(p);
	n->common = find_config(p, CFG_COMMON, &common_len, &cap);
	device = find_config(p, CFG_DEVICE, &device_len, &cap);
	notify = find_config(p, CFG_NOTIFY, &notify_len, &cap);
	if (!n->common || !notify || !device || common_len < sizeof(*n->common) ||
	    notify_len < sizeof(u16) || device_len < sizeof(n->mac))
		return "it lacks the virtio 1 interface";
	factor = pci_read(p, cap + CAP_FACTOR);
	if (!reset(n))
		return "it does not answer";
	n->common->status = STATUS_FOUND | STATUS_DRIVER;
	if (!negotiate(n->common))
		return "it refuses what we need";
	vector = lapic_take_vector(interrupt, (unsigned int)(n - nics));
	if (!vector || !pci_msix_enable(p, 0, vector))
		return "it has no message interrupts";
	n->common->config_vector = NO_VECTOR;
	for (unsigned int i = RX; i <= TX; i++) {
		wrong = start_queue(n, i, notify, factor, notify_len);
		if (wrong)
			return wrong;
	}
	if (!alloc_pages(n->head, ARRAY_SIZE(n->head)) ||
	    !alloc_pages(n->buffer, ARRAY_SIZE(n->buffer)))
		return "no memory for its packets";
	for (unsigned int i = 0; i < sizeof(n->mac); i++)
		n->mac[i] = device[i];
	fill_receive_queue(n);
	n->common->status = STATUS_FOUND | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
	n->alive = true;
	return NULL;
}

void nic_init(void)
{
	for (unsigned int i = 0; i < NIC_MAX; i++) {
		struct nic *n = &nics[nr_nics];
		const char *wrong;

		if (!pci_find(VENDOR_VIRTIO, DEVICE_NET, DEVICE_NET_DUAL, i, &n->pci))
			return;
		wrong = start(n);
		if (wrong) {
			stop(n);
			print_warn("network card %u is not used: %s\n", i, wrong);
			continue;
		}
		nic_flush(nr_nics++);
		print_info("network card %u: %02x:%02x:%02x:%02x:%02x:%02x\n", nr_nics - 1,
			   n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
	}
}

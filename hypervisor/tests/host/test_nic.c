// SPDX-License-Identifier: MIT
/*
 * The driver of network cards against a fake one, whose registers are a page that may only be read:
 * a write is let through for one instruction, and then the card acts on it. Cards that cannot be
 * used are left alone; what a good one may read and write is ours or what it was given to send; one
 * that lies is kept from memory before anything it had is let go. Each case is a process.
 */
#include "unit.h"
#include <hv/frame.h>
#include <hv/lapic.h>
#include <hv/nic.h>
#include <hv/pci.h>
#include <hv/printk.h>
#include <hv/virtqueue.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define NR_PAGES   400
#define GUEST_PAGE (NR_PAGES + 8) /* what is sent lies there and beyond */

/* Offsets in the page of registers; the common ones are the standard's. */
enum {
	FEATURE_SELECT = 0,
	FEATURE = 4,
	STATUS = 20,
	SELECT = 22,
	SIZE = 24,
	VECTOR = 26,
	ENABLE = 28,
	BELL = 30,
	AREAS = 32,
	DEVICE = 0x100,
	NOTIFY = 0x200,
};

struct card {
	u8 *regs;
	u64 features;
	u16 size, bell; /* of queues; of the second queue's doorbell */
	bool stubborn, no_vector, wrong_status;
	u32 length[5]; /* of the structures, by type */
	unsigned int nr_caps;
	bool on_bus;
	unsigned int resets, rung[2];
	bool enabled[2];
	u64 area[2][3];
	u16 seen[2];	       /* of the available ring */
	u8 has[2][VIRTQ_SIZE]; /* chains that the card may work on, by their heads */
};
static struct card cards[2];
static unsigned int nr_cards, nr_pages, pages_left, died, vectors_left;
static struct card *touched;
static u64 touched_at;

void console_write(const char *s, size_t n)
{
	EXPECT(s[n - 1] == '\n' || n < 8); /* not wanted beside the unit's own lines */
}

static void *ram(u64 paddr_n)
{
	return (void *)(DIRECT_MAP_BASE + paddr_n);
}

void *page_alloc(void)
{
	if (!pages_left)
		return NULL;
	pages_left--;
	return ram((u64)nr_pages++ << PAGE_SHIFT);
}
u8 lapic_take_vector(void (*handler)(unsigned int arg), unsigned int arg)
{
	EXPECT(handler && arg < NIC_MAX);
	return vectors_left ? (u8)(0x40 + --vectors_left) : 0;
}

bool pci_find(u16 vendor, u16 device, u16 or_device, unsigned int nth, struct pci_device *p)
{
	EXPECT(vendor == 0x1af4 && device == 0x1041 && or_device == 0x1000);
	p->address = nth;
	return nth < nr_cards;
}
/* Capability i is at 0x40 + 32 * i and describes the structure of type i + 1. */
unsigned int pci_capability(const struct pci_device *p, unsigned int id, unsigned int nth)
{
	EXPECT(id == PCI_CAP_VENDOR);
	return nth < cards[p->address].nr_caps ? 0x40 + 32 * nth : 0;
}
u32 pci_read(const struct pci_device *p, unsigned int reg)
{
	static const u32 offset[5] = {0, 0, NOTIFY, 0, DEVICE};
	unsigned int type = 1 + (reg - 0x40) / 32;

	switch (reg % 32) {
	case 0:
		return type << 24;
	case 4:
		return 0;
	case 8:
		return offset[type];
	case 12:
		return cards[p->address].length[type];
	default:
		return 4; /* the factor of doorbells */
	}
}
void pci_enable(const struct pci_device *p)
{
	cards[p->address].on_bus = true;
}
void pci_disable(const struct pci_device *p)
{
	cards[p->address].on_bus = false;
}
volatile void *pci_map(const struct pci_device *p, unsigned int bar, u32 offset, u32 length)
{
	return bar == 0 && length ? cards[p->address].regs + offset : NULL;
}
bool pci_msix_enable(const struct pci_device *p, unsigned int entry, u8 vector)
{
	return p->address < nr_cards && entry == 0 && vector;
}

static bool may_touch_memory(const struct card *k)
{
	return k->on_bus && (k->enabled[0] || k->enabled[1]);
}

void nic_event(unsigned int card)
{
	EXPECT(card < NIC_MAX);
}
void nic_died(unsigned int card)
{
	EXPECT(!may_touch_memory(&cards[card]) && !nic_alive(card));
	died++;
}

static u16 *reg16(struct card *k, unsigned int at)
{
	return (u16 *)(k->regs + at);
}
static u32 *reg32(struct card *k, unsigned int at)
{
	return (u32 *)(k->regs + at);
}

static void card_acts(struct card *k, u64 at)
{
	unsigned int queue = *reg16(k, SELECT) & 1;

	if (at == FEATURE_SELECT)
		*reg32(k, FEATURE) = (u32)(k->features >> (32 * *reg32(k, FEATURE_SELECT)));
	if (at == STATUS && k->regs[STATUS] == 0) {
		k->resets++;
		memset(k->enabled, 0, sizeof(k->enabled));
	}
	if (at == STATUS && k->wrong_status)
		k->regs[STATUS] &= (u8)~8;
	if (at == STATUS && k->stubborn) {
		k->regs[STATUS] = 4;
		k->enabled[0] = k->enabled[1] = true;
	}
	if (at == SELECT) {
		*reg16(k, SIZE) = k->size;
		*reg16(k, BELL) = queue ? k->bell : 0;
	}
	if (at == VECTOR && k->no_vector)
		*reg16(k, VECTOR) = 0xffff;
	if (at == ENABLE) {
		k->enabled[queue] = true;
		for (unsigned int i = 0; i < 3; i++)
			k->area[queue][i] =
			    *reg32(k, AREAS + 8 * i) | (u64)*reg32(k, AREAS + 8 * i + 4) << 32;
	}
	if (at == NOTIFY || at == NOTIFY + 4u * k->bell)
		k->rung[at != NOTIFY]++;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)number;
	for (unsigned int i = 0; i < 2; i++) {
		u64 at = (u64)info->si_addr - (u64)cards[i].regs;

		if (at >= PAGE_SIZE)
			continue;
		touched = &cards[i];
		touched_at = at;
		mprotect(touched->regs, PAGE_SIZE, PROT_READ | PROT_WRITE);
		c->uc_mcontext.gregs[REG_EFL] |= 0x100; /* one instruction */
		return;
	}
	fprintf(stderr, "a write to %p\n", info->si_addr);
	_exit(1);
}

static void on_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)number;
	(void)info;
	card_acts(touched, touched_at);
	mprotect(touched->regs, PAGE_SIZE, PROT_READ);
	c->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

static void set_up(void)
{
	struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
	void *memory = mmap(ram(0), (GUEST_PAGE + 64) * PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	EXPECT(memory == ram(0));
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGTRAP, &step, NULL);
	nr_cards = 1;
	nr_pages = 1; /* at address 0 there is none */
	pages_left = NR_PAGES - 1;
	vectors_left = 8;
	for (unsigned int i = 0; i < 2; i++) {
		struct card *k = &cards[i];

		*k = (struct card){.features = 1ull << 32 | 1 << 5 | 1 << 3,
				   .size = 1024,
				   .bell = 7,
				   .nr_caps = 4,
				   .length = {0, 56, 0x100, 4, 8}};
		k->regs = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		k->regs[DEVICE] = (u8)(2 + 4 * i);
		k->regs[STATUS] = 7; /* what firmware left */
		mprotect(k->regs, PAGE_SIZE, PROT_READ);
	}
}

/* Cards that cannot be used. The one behind them can. */
static void refused(unsigned int what)
{
	struct card *k = &cards[0];

	nr_cards = 2;
	switch (what) {
	case 0:
		k->nr_caps = 0;
		break;
	case 1:
		k->nr_caps = 3;
		break;
	case 2:
		k->features &= ~(1ull << 32);
		break;
	case 3:
		k->features &= ~(1ull << 5);
		break;
	case 4:
		k->wrong_status = true;
		break;
	case 5:
		k->size = VIRTQ_SIZE / 2;
		break;
	case 6:
		k->no_vector = true;
		break;
	case 7:
		k->bell = 0x100 / 4; /* right behind the last */
		break;
	case 8:
		k->length[1] = 55;
		break;
	case 9:
		k->length[2] = 1;
		break;
	case 10:
		k->length[4] = 5;
		break;
	default:
		k->stubborn = true;
		break;
	}
	nic_init();
	EXPECT(nic_count() == 1 && nic_mac(0)[0] == 6 && nic_alive(0) && died == 0);
	EXPECT(!may_touch_memory(k) && may_touch_memory(&cards[1]));
}

static void without_memory(unsigned int pages)
{
	pages_left = pages;
	nic_init();
	EXPECT(nic_count() == 0 && !may_touch_memory(&cards[0]));
}

static void without_vectors(unsigned int unused)
{
	(void)unused;
	vectors_left = 0;
	nic_init();
	EXPECT(nic_count() == 0 && !may_touch_memory(&cards[0]));
}

static struct virtq_desc *desc_of(struct card *k, unsigned int queue, unsigned int i)
{
	EXPECT(i < VIRTQ_SIZE);
	return (struct virtq_desc *)ram(k->area[queue][0]) + i % VIRTQ_SIZE;
}

/* The card sees what is new in a queue: every chain is one that it does not have already. */
static void look(struct card *k, unsigned int queue)
{
	struct virtq_avail *a = ram(k->area[queue][1]);

	EXPECT((u16)(a->idx - k->seen[queue]) <= VIRTQ_SIZE);
	for (; k->seen[queue] != a->idx; k->seen[queue]++) {
		unsigned int head = a->ring[k->seen[queue] % VIRTQ_SIZE];

		EXPECT(head < VIRTQ_SIZE && !k->has[queue][head % VIRTQ_SIZE]);
		k->has[queue][head % VIRTQ_SIZE] = 1;
	}
}

static void use(struct card *k, unsigned int queue, unsigned int head, u32 len)
{
	struct virtq_used *u = ram(k->area[queue][2]);

	u->ring[u->idx % VIRTQ_SIZE].id = head;
	u->ring[u->idx % VIRTQ_SIZE].len = len;
	u->idx++;
	if (head < VIRTQ_SIZE)
		k->has[queue][head] = 0;
}

static bool ours(u64 at, u32 len)
{
	return at >> PAGE_SHIFT && (at + len - 1) >> PAGE_SHIFT < nr_pages;
}

/* A fresh card has 256 buffers, all in memory that was handed out clean, none twice. */
static void buffers(unsigned int unused)
{
	struct card *k = &cards[0];
	static u8 used[NR_PAGES][2];

	(void)unused;
	nic_init();
	EXPECT(nic_count() == 1 && k->rung[0] == 1 && k->rung[1] == 0 && k->resets >= 1);
	look(k, 0);
	look(k, 1);
	for (unsigned int i = 0; i < VIRTQ_SIZE; i++) {
		struct virtq_desc *d = desc_of(k, 0, i);

		EXPECT(k->has[0][i] && !k->has[1][i]);
		EXPECT(d->flags == 2 && d->len == 2048 && d->addr % 2048 == 0);
		EXPECT(ours(d->addr, d->len));
		EXPECT(!used[d->addr >> PAGE_SHIFT][d->addr / 2048 % 2]++);
	}
}

static unsigned int send(unsigned int nr, u8 tag)
{
	struct nic_piece piece[NIC_PIECES];
	u8 *head = nic_head(0);

	EXPECT(ours((u64)head - DIRECT_MAP_BASE - 12, 12 + NIC_HEAD));
	memset(head, tag, NIC_HEAD);
	for (unsigned int i = 0; i < nr; i++)
		piece[i] = (struct nic_piece){paddr((GUEST_PAGE + i) * PAGE_SIZE + tag), i + 1};
	return nic_send(0, 14 + tag % 80, piece, nr);
}

/* A chain is as it was given: an empty header and a head of ours, then the pieces, all to read. */
static void expect_chain(struct card *k, unsigned int head, unsigned int nr, u8 tag)
{
	struct virtq_desc *d = desc_of(k, 1, head);
	const u8 *p = ram(d->addr);

	EXPECT(ours(d->addr, d->len) && d->len == 12u + 14 + tag % 80 && p[12] == tag);
	for (unsigned int i = 0; i < 12; i++)
		EXPECT(p[i] == 0);
	for (unsigned int i = 0; i < nr; i++) {
		EXPECT(d->flags == 1);
		d = desc_of(k, 1, d->next);
		EXPECT(d->addr == (GUEST_PAGE + i) * PAGE_SIZE + tag && d->len == i + 1);
	}
	EXPECT(d->flags == 0);
}

/* More packets than indices, ended in any order, each once. */
static void sending(unsigned int unused)
{
	static struct {
		u8 nr, tag;
		bool out;
	} sent[VIRTQ_SIZE];
	struct card *k = &cards[0];
	unsigned int total = 0, ended = 0, full = 0;
	int slot;

	(void)unused;
	nic_init();
	srand(1);
	while (ended < 70000) {
		for (unsigned int n = (unsigned int)rand() % 12; n && nic_room(0); n--) {
			u8 nr = (u8)((unsigned int)rand() % (NIC_PIECES + 1)), tag = (u8)rand();
			unsigned int s = send(nr, tag);

			EXPECT(s < NIC_SLOTS && !sent[s].out);
			sent[s].nr = nr;
			sent[s].tag = tag;
			sent[s].out = true;
			total++;
		}
		full += !nic_room(0);
		nic_flush(0);
		look(k, 1);
		for (unsigned int i = (unsigned int)rand() % VIRTQ_SIZE, n = 0; n < 16; n++) {
			unsigned int head = (i + n) % VIRTQ_SIZE;

			if (!k->has[1][head])
				continue;
			expect_chain(k, head, sent[head].nr, sent[head].tag);
			use(k, 1, head, 0);
		}
		while ((slot = nic_sent(0)) >= 0) {
			EXPECT(slot < (int)NIC_SLOTS && sent[slot].out && !k->has[1][slot]);
			sent[slot].out = false;
			ended++;
		}
	}
	EXPECT(total >= ended && full > 100 && died == 0 && nic_alive(0));
}

/* Lengths that cannot be are no packets; each buffer goes back, and is the card's once told so. */
static void receiving(unsigned int unused)
{
	static const u32 lens[] = {0, 1, 12, 25, 26, 1526, 2048, 2049, 65536, 0xffffffff};
	struct card *k = &cards[0];
	const u8 *p;
	u32 len;

	(void)unused;
	nic_init();
	for (unsigned int n = 0; n < 70000; n++) {
		unsigned int head = n * 7 % VIRTQ_SIZE;
		u32 told = lens[n % ARRAY_SIZE(lens)];
		bool good = told >= 26 && told <= 2048;
		u8 *buffer;

		look(k, 0);
		EXPECT(k->has[0][head]);
		buffer = ram(desc_of(k, 0, head)->addr);
		buffer[12] = (u8)n;
		use(k, 0, head, told);
		p = nic_received(0, &len);
		EXPECT(good == (p != NULL));
		if (p)
			EXPECT(p == buffer + 12 && len == told - 12 && p[0] == (u8)n);
		look(k, 0);
		EXPECT(!k->has[0][head]); /* not while it is looked at */
		nic_received_done(0);
		EXPECT(!nic_received(0, &len));
		nic_flush(0);
	}
	EXPECT(died == 0);
}

/* Each is found out; the card is dead from then on, and nothing it says counts. */
static void lies(unsigned int what)
{
	struct card *k = &cards[0];
	struct virtq_used *u;
	unsigned int queue = what % 2, slot;
	u32 len;

	nic_init();
	k->stubborn = what >= 8;
	slot = send(3, 1);
	nic_flush(0);
	look(k, 0);
	look(k, 1);
	u = ram(k->area[queue][2]);
	switch (what / 2 % 4) {
	case 0:
		use(k, queue, VIRTQ_SIZE, 60);
		break;
	case 1:
		use(k, queue, 0xffff0000 | slot, 60);
		break;
	case 2:
		u->idx = VIRTQ_SIZE + 1;
		break;
	default:
		use(k, 1, slot, 0);
		use(k, 1, slot, 0); /* twice */
		queue = 1;
		EXPECT(nic_sent(0) == (int)slot);
		break;
	}
	if (queue)
		EXPECT(nic_sent(0) == -1);
	else
		EXPECT(!nic_received(0, &len));
	EXPECT(died == 1 && !nic_alive(0) && !nic_room(0) && !may_touch_memory(k));
	use(k, 0, 0, 100);
	use(k, 1, slot, 0);
	k->rung[0] = k->rung[1] = 0;
	EXPECT(nic_sent(0) == -1 && !nic_received(0, &len));
	nic_received_done(0);
	nic_flush(0);
	nic_give_up(0, "the test says so");
	EXPECT(died == 1 && !k->rung[0] && !k->rung[1] && k->seen[0] == VIRTQ_SIZE);
}

/* Given up while it has packets, answering a reset or not; the other card goes on. */
static void given_up(unsigned int stubborn)
{
	nr_cards = 2;
	nic_init();
	EXPECT(nic_count() == 2);
	cards[0].stubborn = stubborn;
	send(3, 1);
	nic_flush(0);
	nic_give_up(0, "the test says so");
	EXPECT(died == 1 && !may_touch_memory(&cards[0]) && may_touch_memory(&cards[1]));
	EXPECT(nic_alive(1) && nic_room(1) && cards[0].on_bus == !stubborn);
}

static void run(void (*test)(unsigned int), unsigned int arg)
{
	int status;
	pid_t child;

	fflush(stderr);
	child = fork();
	if (child == 0) {
		set_up();
		test(arg);
		_exit(unit_failures != 0);
	}
	waitpid(child, &status, 0);
	if (status) {
		unit_failures++;
		fprintf(stderr, "case %u of the last\n", arg);
	}
}

int main(void)
{
	for (unsigned int i = 0; i < 12; i++)
		run(refused, i);
	for (unsigned int i = 0; i < 142; i += 9)
		run(without_memory, i);
	run(without_vectors, 0);
	run(buffers, 0);
	run(sending, 0);
	run(receiving, 0);
	for (unsigned int i = 0; i < 16; i++)
		run(lies, i);
	run(given_up, 0);
	run(given_up, 1);
	return unit_failures != 0;
}

// SPDX-License-Identifier: MIT
/*
 * count: a plugin of QEMU's that counts what is executed between the marks of a workload.
 *
 *   -plugin count.so,out=FILE[,owners=ADDRESS,entry=BYTES,at=BYTES]
 *
 * Each instruction belongs to a class that is known when it is translated: by its ring, in ring 3 by
 * the half of the address space (a paravirtual kernel runs there, in the upper one), and by who owns
 * the page it lies in. `owners` is a table of the hypervisor's with an entry a physical page, the
 * owner's name in the four bytes at `at`; without one, all has the same owner.
 *
 * A workload marks its timed sections (workloads/lib/mark.h). What was executed in them is added up
 * and written to FILE as a line of names and numbers for each sample. Of two owners the one whose
 * page has the mark is the guest that is measured; all others are `beside`.
 *
 * The machine runs as it does without: nothing of it is changed, and its clock counts instructions.
 * An instruction that faults is counted here each time it is tried, by that clock once.
 */
#include "decode.h"
#include "qemu_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT	    __attribute__((visibility("default")))
#define OWNERS_MAX  8
#define SECTIONS    8 /* between two samples */
#define PAGE_SHIFT  12
#define GATES	    256
#define GATE_SIZE   16
#define FIRST_IRQ   32
#define PAGE_FAULT  14
#define LOWER_HALF  (1ULL << 47)
#define PAGING	    (1ULL << 31)
#define FIRST_MIB   (1ULL << 20)
#define BELOW_HOLES (3ULL << 30)

/* What is counted. The names are those of the lines. */
#define COUNTERS(X)                                                                                \
	X(ring0) X(syscalls) X(page_faults) X(interrupts) X(exceptions) X(cr3_loads) X(irets)      \
	X(port_io) X(halts) X(tlb_flushes)
#define OWNED_COUNTERS(X) X(user) X(kernel) X(hypercalls)

#define FIELD(name) uint64_t name;
struct counts {
	COUNTERS(FIELD)
	struct owned {
		OWNED_COUNTERS(FIELD)
	} by[OWNERS_MAX];
};

#define NUMBERS (sizeof(struct counts) / sizeof(uint64_t))

struct section {
	uint64_t key; /* 0: free */
	uint64_t times;
	struct counts opened, sum;
};

static struct qemu_plugin_scoreboard *score;
static struct qemu_plugin_register *cs, *cr0, *rdi;
static GByteArray *buffer, *gates;
static FILE *out;
static struct section sections[SECTIONS];
static bool sampled; /* nothing was opened since */
static uint64_t gate_table;
static struct {
	uint64_t address, entry, at; /* address 0: there is none */
} owner_table;
static uint32_t owners[OWNERS_MAX];
static const uint8_t *ram;

static uint64_t read_register(struct qemu_plugin_register *which)
{
	uint64_t value = 0;
	int size;

	g_byte_array_set_size(buffer, 0);
	size = qemu_plugin_read_register(which, buffer);
	if (size > 0)
		memcpy(&value, buffer->data, size > 8 ? 8 : (size_t)size);
	return value;
}

static void give_up(const char *why)
{
	fprintf(out, "error %s\n", why);
	fflush(out);
}

/*
 * Where the machine's memory begins in QEMU's own: with paging off, addresses are physical. That is
 * how each kernel is entered.
 */
static void find_ram(uint64_t address, const uint8_t *place)
{
	if (ram || !place || address < FIRST_MIB || address >= BELOW_HOLES)
		return;
	if (!(read_register(cr0) & PAGING))
		ram = place - address;
}

/* The place in `owners` of whoever owns the page; the first one seen is at 0. */
static unsigned int owner_of(const uint8_t *place)
{
	uint64_t page = (uint64_t)(place - ram) >> PAGE_SHIFT;
	uint32_t name;

	if (!owner_table.address || !ram || !place)
		return 0;
	g_byte_array_set_size(buffer, 0);
	if (!qemu_plugin_read_memory_vaddr(
		owner_table.address + page * owner_table.entry + owner_table.at, buffer, 4))
		return 0;
	memcpy(&name, buffer->data, sizeof(name));
	for (unsigned int i = 0; i < OWNERS_MAX; i++) {
		if (owners[i] == 0)
			owners[i] = name;
		if (owners[i] == name)
			return i;
	}
	give_up("more owners of pages than there is room for");
	return 0;
}

static struct section *section_of(uint64_t key)
{
	for (int i = 0; i < SECTIONS; i++)
		if (sections[i].key == key)
			return &sections[i];
	return NULL;
}

static void add_since(struct counts *sum, const struct counts *then, const struct counts *now)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)then, *until = (const uint64_t *)now;

	for (size_t i = 0; i < NUMBERS; i++)
		to[i] += until[i] - from[i];
}

static void print_section(const char *word, const struct section *section, unsigned int guest)
{
	struct owned own = section->sum.by[guest], beside = {0};

	for (unsigned int i = 0; i < OWNERS_MAX; i++) {
		if (i == guest)
			continue;
#define ADD(name) beside.name += section->sum.by[i].name;
		OWNED_COUNTERS(ADD)
	}
	fprintf(out, "%s sections %llu", word, (unsigned long long)section->times);
#define PRINT(name) fprintf(out, " " #name " %llu", (unsigned long long)section->sum.name);
#define PRINT_OWN(name) fprintf(out, " " #name " %llu", (unsigned long long)own.name);
#define PRINT_BESIDE(name) fprintf(out, " beside_" #name " %llu", (unsigned long long)beside.name);
	COUNTERS(PRINT)
	OWNED_COUNTERS(PRINT_OWN)
	OWNED_COUNTERS(PRINT_BESIDE)
	fprintf(out, "\n");
	fflush(out);
}

struct mark {
	enum mark_kind kind;
	unsigned int owner;
};

/*
 * What a workload takes off its samples is timed as well, and becomes no sample. All samples of a pass
 * come in a row, so what is left when the next pass opens its first section will never be one.
 */
static struct section *open_section(uint64_t key)
{
	struct section *section;

	if (sampled)
		memset(sections, 0, sizeof(sections));
	sampled = false;
	section = section_of(key);
	if (!section)
		section = section_of(0);
	if (section)
		section->key = key;
	else
		give_up("more sections at once than there is room for");
	return section;
}

static void on_mark(unsigned int cpu, void *data)
{
	static const struct section untimed;
	const struct mark *mark = data;
	const struct counts *now = qemu_plugin_scoreboard_find(score, cpu);
	uint64_t key = read_register(rdi);
	struct section *section;

	section = mark->kind == MARK_START ? open_section(key) : section_of(key);
	if (!section) {
		/* A number that was found otherwise than by timing has a line, too. */
		if (mark->kind == MARK_SAMPLE)
			print_section("sample", &untimed, mark->owner);
		return;
	}
	if (mark->kind == MARK_START) {
		section->opened = *now;
	} else if (mark->kind == MARK_STOP) {
		add_since(&section->sum, &section->opened, now);
		section->times++;
	} else {
		print_section(mark->kind == MARK_CLOCK ? "clock" : "sample", section, mark->owner);
		memset(section, 0, sizeof(*section));
		sampled = true;
	}
}

/* `lidt` loads the size of the table, then where it lies. */
static void on_gate_table(unsigned int cpu, uint32_t info, uint64_t address, void *data)
{
	(void)cpu;
	(void)data;
	g_byte_array_set_size(buffer, 0);
	if (qemu_plugin_mem_size_shift(info) == 3 &&
	    qemu_plugin_read_memory_vaddr(address, buffer, sizeof(gate_table)))
		memcpy(&gate_table, buffer->data, sizeof(gate_table));
}

/* The vector whose gate leads to this address now, or -1. */
static int vector_of(uint64_t address)
{
	g_byte_array_set_size(gates, 0);
	if (!gate_table || !qemu_plugin_read_memory_vaddr(gate_table, gates, GATES * GATE_SIZE))
		return -1;
	for (int vector = 0; vector < GATES; vector++) {
		const uint8_t *gate = gates->data + vector * GATE_SIZE;
		uint16_t low, middle;
		uint32_t high;

		memcpy(&low, gate, sizeof(low));
		memcpy(&middle, gate + 6, sizeof(middle));
		memcpy(&high, gate + 8, sizeof(high));
		if (((uint64_t)high << 32 | (uint64_t)middle << 16 | low) == address)
			return vector;
	}
	return -1;
}

static void count(struct qemu_plugin_insn *insn, size_t offset)
{
	qemu_plugin_u64 entry = {score, offset};

	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, INLINE_ADD, entry, 1);
}

#define COUNT(insn, name)     count(insn, offsetof(struct counts, name))
#define OWNED(owner, name)    (offsetof(struct counts, by) + (owner) * sizeof(struct owned) +      \
			       offsetof(struct owned, name))

static void count_entry(struct qemu_plugin_insn *insn, int vector)
{
	if (vector == PAGE_FAULT)
		COUNT(insn, page_faults);
	else if (vector >= FIRST_IRQ)
		COUNT(insn, interrupts);
	else if (vector >= 0)
		COUNT(insn, exceptions);
}

static void count_event(struct qemu_plugin_insn *insn, enum event event, bool ring0)
{
	if (event == EVENT_PORT_IO)
		COUNT(insn, port_io);
	if (!ring0)
		return;
	if (event == EVENT_IRET)
		COUNT(insn, irets);
	else if (event == EVENT_CR3)
		COUNT(insn, cr3_loads);
	else if (event == EVENT_INVLPG)
		COUNT(insn, tlb_flushes);
	else if (event == EVENT_HALT)
		COUNT(insn, halts);
	else if (event == EVENT_GATE_TABLE)
		qemu_plugin_register_vcpu_mem_cb(insn, on_gate_table, NO_REGISTERS, LOADS, NULL);
}

static void watch_mark(struct qemu_plugin_insn *insn, enum mark_kind kind, unsigned int owner)
{
	static struct mark marks[MARK_KINDS][OWNERS_MAX];
	struct mark *mark = &marks[kind][owner];

	*mark = (struct mark){kind, owner};
	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, READ_REGISTERS, mark);
}

static void translate(plugin_id id, struct qemu_plugin_tb *tb)
{
	struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
	const uint8_t *place = qemu_plugin_insn_haddr(first);
	uint64_t address = qemu_plugin_insn_vaddr(first);
	bool ring0 = (read_register(cs) & 3) == 0, user = !ring0 && address < LOWER_HALF;
	unsigned int owner;

	(void)id;
	find_ram(address, place);
	owner = ring0 ? 0 : owner_of(place);
	if (ring0)
		count_entry(first, vector_of(address));
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint8_t bytes[INSN_MAX];
		size_t size = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));
		enum event event = decode_event(bytes, size);
		enum mark_kind mark = decode_mark(bytes, size);

		count(insn, ring0  ? offsetof(struct counts, ring0)
			    : user ? OWNED(owner, user)
				   : OWNED(owner, kernel));
		if (event == EVENT_SYSCALL && user)
			COUNT(insn, syscalls);
		else if (event == EVENT_SYSCALL && !ring0)
			count(insn, OWNED(owner, hypercalls));
		else
			count_event(insn, event, ring0);
		if (user && mark != MARK_NONE)
			watch_mark(insn, mark, owner);
	}
}

/* Registers are known from here on. */
static void start(plugin_id id, unsigned int cpu)
{
	GArray *registers = qemu_plugin_get_registers();
	const struct register_descriptor *all = (const void *)registers->data;

	(void)cpu;
	for (unsigned int i = 0; i < registers->len; i++) {
		if (strcmp(all[i].name, "cs") == 0)
			cs = all[i].handle;
		else if (strcmp(all[i].name, "cr0") == 0)
			cr0 = all[i].handle;
		else if (strcmp(all[i].name, "rdi") == 0)
			rdi = all[i].handle;
	}
	if (!cs || !cr0 || !rdi) {
		give_up("the emulator does not show the registers cs, cr0 and rdi");
		return;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
}

static bool take_option(const char *option)
{
	const char *value = strchr(option, '=');
	size_t length = value ? (size_t)(value - option) : 0;
	static const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {
	    {"owners", &owner_table.address},
	    {"entry", &owner_table.entry},
	    {"at", &owner_table.at},
	};

	if (value && strncmp(option, "out", length) == 0 && length == 3) {
		out = fopen(value + 1, "w");
		return out != NULL;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && value; i++) {
		if (strlen(numbers[i].name) == length &&
		    strncmp(option, numbers[i].name, length) == 0) {
			*numbers[i].number = strtoull(value + 1, NULL, 0);
			return true;
		}
	}
	return false;
}

EXPORT int qemu_plugin_version = API_VERSION;

EXPORT int qemu_plugin_install(plugin_id id, const void *machine, int argc, char **argv)
{
	(void)machine;
	for (int i = 0; i < argc; i++) {
		if (!take_option(argv[i])) {
			fprintf(stderr, "count: cannot do %s\n", argv[i]);
			return 1;
		}
	}
	if (!out) {
		fprintf(stderr, "count: want out=FILE\n");
		return 1;
	}
	score = qemu_plugin_scoreboard_new(sizeof(struct counts));
	buffer = g_byte_array_new();
	gates = g_byte_array_new();
	qemu_plugin_register_vcpu_init_cb(id, start);
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * once.c: run in the first level before its QEMU; sees to it that an interrupt that KVM injects reaches
 * the inner guest once. It says "ready", closes its output and stays: its arrangements last as long as it.
 *
 * The emulated processor's VMRUN delivers an injected interrupt, but keeps its vector as an exception
 * in flight (QEMU 10, helper_vmrun, SVM_EVTINJ_TYPE_INTR). An exit of the guest or an exception in it
 * forgets that; but where a timer of the machine's comes due before either, the vector is delivered
 * again, whatever the guest's interrupt flag says. A guest hit while it holds an interrupt's lock waits
 * for itself for ever.
 *
 * So an exit is made to follow each injection, before the guest's first instruction: two BPF programs
 * on KVM's trace points. One notes an injection; the other, run with interrupts off on the way to the
 * guest, writes a record to a perf ring that wants to wake its reader. There is none, but the kernel
 * sends itself an interrupt to see to that, and this is pending when VMRUN is executed.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_SIZE 4096
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One instruction; an address of 64 bits takes two. */
#define INSN(op, dst, src, o, i) \
	((struct bpf_insn){.code = (op), .dst_reg = (dst), .src_reg = (src), .off = (o), .imm = (i)})
#define LOAD_MAP(dst, kind, fd) INSN(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, fd), INSN(0, 0, 0, 0, 0)
#define MOVE(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define SET32(dst, value) INSN(BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, value)
#define LOAD(dst, address) INSN(BPF_LDX | BPF_MEM | BPF_DW, dst, address, 0, 0)
#define STORE(address, value) INSN(BPF_ST | BPF_MEM | BPF_DW, address, 0, 0, value)
#define SKIP_IF_ZERO(src, count) INSN(BPF_JMP | BPF_JEQ | BPF_K, src, 0, count, 0)
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int must(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "once: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return (int)result;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr, const char *what)
{
	return must(syscall(SYS_bpf, command, attr, sizeof(*attr)), what);
}

static int make_map(enum bpf_map_type type, uint32_t value_size)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = value_size, .max_entries = 1};

	return bpf(BPF_MAP_CREATE, &attr, "cannot make a map");
}

static void attach(const char *point, const struct bpf_insn *insns, size_t count)
{
	/* The licence is what the kernel wants to hear of a program that writes to a perf ring. */
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
			       .insns = (uintptr_t)insns,
			       .insn_cnt = (uint32_t)count,
			       .license = (uintptr_t) "Dual MIT/GPL"};
	int program = bpf(BPF_PROG_LOAD, &load, point);
	union bpf_attr open = {.raw_tracepoint = {.name = (uintptr_t)point,
						  .prog_fd = (uint32_t)program}};

	bpf(BPF_RAW_TRACEPOINT_OPEN, &open, point);
}

/* A ring of one page, written over and over, of which each record asks to be read. */
static int open_ring(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_BPF_OUTPUT,
				       .sample_period = 1,
				       .sample_type = PERF_SAMPLE_RAW,
				       .wakeup_events = 1};
	int ring = must(syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0), "cannot open a ring");

	if (mmap(NULL, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED, ring, 0) == MAP_FAILED)
		must(-1, "cannot map the ring");
	return ring;
}

int main(void)
{
	int noted = make_map(BPF_MAP_TYPE_ARRAY, sizeof(uint64_t));
	int rings = make_map(BPF_MAP_TYPE_PERF_EVENT_ARRAY, sizeof(int));
	int ring = open_ring();
	uint32_t cpu = 0;
	union bpf_attr put = {
		.map_fd = (uint32_t)rings, .key = (uintptr_t)&cpu, .value = (uintptr_t)&ring};
	const struct bpf_insn at_injection[] = {
		LOAD_MAP(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, noted),
		STORE(BPF_REG_1, 1),
		SET(BPF_REG_0, 0),
		EXIT(),
	};
	const struct bpf_insn at_entry[] = {
		LOAD_MAP(BPF_REG_4, BPF_PSEUDO_MAP_VALUE, noted),
		LOAD(BPF_REG_5, BPF_REG_4),
		SKIP_IF_ZERO(BPF_REG_5, 6),
		STORE(BPF_REG_4, 0),
		LOAD_MAP(BPF_REG_2, BPF_PSEUDO_MAP_FD, rings),
		SET32(BPF_REG_3, -1), /* BPF_F_CURRENT_CPU */
		SET(BPF_REG_5, sizeof(uint64_t)),
		CALL(BPF_FUNC_perf_event_output),
		SET(BPF_REG_0, 0),
		EXIT(),
	};

	bpf(BPF_MAP_UPDATE_ELEM, &put, "cannot put the ring into its map");
	attach("kvm_inj_virq", at_injection, COUNT(at_injection));
	attach("kvm_entry", at_entry, COUNT(at_entry));
	puts("ready");
	fclose(stdout);
	for (;;)
		pause();
}

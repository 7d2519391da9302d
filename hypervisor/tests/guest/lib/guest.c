// SPDX-License-Identifier: MIT
/*
 * The runtime of the test guests. A test passes if it says so itself: "RESULT SUCCESS" is printed
 * only by finish() and only if every check held.
 */
#include "guest.h"
#include <stdarg.h>
#include <xen/callback.h>

struct start_info *si;
static u8 shared_page[PAGE_SIZE] __page_aligned;
struct shared_info *shared = (struct shared_info *)shared_page;
struct guest_regs last_trap;
u64 last_cr2;
void (*trap_hook)(struct guest_regs *regs);

static unsigned int failures;
static void *recover[5];
static bool catching;

void guest_start(struct start_info *info) __noreturn;
void guest_trap(struct guest_regs *regs);

long hypercall(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	register u64 r10 asm("r10") = d;
	register u64 r8 asm("r8") = e;
	long rc;

	asm volatile("syscall"
		     : "=a"(rc), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
		     : "0"(nr)
		     : "rcx", "r11", "memory");
	return rc;
}

/* Hooks that the borrowed formatting code wants. */
void console_write(const char *s, size_t n)
{
	call3(__HYPERVISOR_console_io, CONSOLEIO_write, n, s);
}

void machine_die(void)
{
	poweroff(SHUTDOWN_crash);
}

void say(const char *fmt, ...)
{
	static char line[512];
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = vformat(line, sizeof(line), fmt, args);
	va_end(args);
	console_write(line, n);
}

void check_at(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	failures++;
	say("failed: %s:%d: %s\n", file, line, what);
}

void expect_at(long got, long want, const char *what, const char *file, int line)
{
	if (got == want)
		return;
	failures++;
	say("failed: %s:%d: %s is %ld, not %ld\n", file, line, what, got, want);
}

void poweroff(unsigned int reason)
{
	struct sched_shutdown op = {.reason = reason};

	for (;;)
		call2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &op);
}

void finish(void)
{
	say("RESULT %s\n", failures ? "FAILURE" : "SUCCESS");
	poweroff(SHUTDOWN_poweroff);
}

int catch_trap(void (*fn)(u64), u64 arg)
{
	if (__builtin_setjmp(recover)) {
		shared->vcpu_info[0].evtchn_upcall_mask = 1;
		return (int)last_trap.vector;
	}
	catching = true;
	fn(arg);
	catching = false;
	return -1;
}

void guest_trap(struct guest_regs *regs)
{
	if (catching && regs->vector < 256) {
		last_trap = *regs;
		last_cr2 = shared->vcpu_info[0].arch.cr2;
		catching = false;
		__builtin_longjmp(recover, 1);
	}
	if (trap_hook) {
		trap_hook(regs);
		return;
	}
	say("unexpected trap %lu error %lx rip %lx cr2 %lx\n", regs->vector, regs->error, regs->rip,
	    shared->vcpu_info[0].arch.cr2);
	say("RESULT ERROR\n");
	poweroff(SHUTDOWN_poweroff);
}

u64 longest_gap;

void look_at_clock(void)
{
	static u64 last;
	u64 now = clock_ns();

	if (last)
		longest_gap = MAX(longest_gap, now - last);
	last = now;
}

u64 number_option(const char *name, u64 otherwise)
{
	const char *s = (const char *)si->cmd_line;
	u64 n = otherwise;

	for (; *s; s++) {
		if (strncmp(s, name, strlen(name)) == 0 && s[strlen(name)] == '=') {
			s += strlen(name) + 1;
			check(str_to_u64(&s, &n));
			break;
		}
	}
	return n;
}

u64 pfn_to_mfn(u64 pfn)
{
	return ((const u64 *)si->mfn_list)[pfn];
}

/* The bootstrap tables are in the linear mapping: a machine frame is found by the M2P. */
static const u64 *table_at(u64 m)
{
	return (const u64 *)(VIRT_BASE + (machine_to_phys_mapping[m] << PAGE_SHIFT));
}

static unsigned int index_at(u64 va, unsigned int level)
{
	return (va >> (12 + 9 * (level - 1))) & 511;
}

u64 pte_address(u64 va, unsigned int level)
{
	u64 m = va_to_mfn((void *)si->pt_base);

	for (unsigned int l = 4; l > level; l--)
		m = (table_at(m)[index_at(va, l)] & 0x000ffffffffff000ull) >> PAGE_SHIFT;
	return (m << PAGE_SHIFT) + index_at(va, level) * 8;
}

u64 pte_value(u64 va, unsigned int level)
{
	u64 at = pte_address(va, level);

	return table_at(at >> PAGE_SHIFT)[(at & ~PAGE_MASK) / 8];
}

long remap(void *va, u64 pte)
{
	return call3(__HYPERVISOR_update_va_mapping, va, pte, UVMF_INVLPG);
}

long mmu_update(u64 ptr, u64 val)
{
	struct mmu_update u = {.ptr = ptr, .val = val};

	return call4(__HYPERVISOR_mmu_update, &u, 1, 0, DOMID_SELF);
}

long mmuext(unsigned int cmd, u64 arg1, u64 arg2)
{
	struct mmuext_op op;

	memset(&op, 0, sizeof(op));
	op.cmd = cmd;
	op.arg1.mfn = arg1;
	op.arg2.src_mfn = arg2;
	return call4(__HYPERVISOR_mmuext_op, &op, 1, 0, DOMID_SELF);
}

static void install_traps(void)
{
	static struct trap_info table[34];

	for (unsigned int i = 0; i < 32; i++)
		table[i] = (struct trap_info){(u8)i, i == 3 || i == 4 ? 7 : 4, FLAT_KERNEL_CS,
					      (u64)trap_stubs + i * 16};
	table[32] = (struct trap_info){0x80, 7, FLAT_KERNEL_CS, (u64)int80_stub};
	call1(__HYPERVISOR_set_trap_table, table);
}

static void install_callback(unsigned int type, void *address)
{
	struct callback_register op = {
	    .type = (u16)type, .flags = CALLBACKF_mask_events, .address = (xen_callback_t)address};

	call2(__HYPERVISOR_callback_op, CALLBACKOP_register, &op);
}

void guest_start(struct start_info *info)
{
	si = info;
	install_traps();
	install_callback(CALLBACKTYPE_event, event_stub);
	install_callback(CALLBACKTYPE_syscall, syscall_stub);
	remap(shared, si->shared_info | 0x67);
	test_main();
	finish();
}

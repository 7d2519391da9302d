// SPDX-License-Identifier: MIT
/*
 * From head.S to the idle loop: the order of initialisation, and the guests from the modules.
 *
 * Modules come in order: each ELF file is a guest kernel and starts a domain, the module after it,
 * if it is no ELF file, is that domain's ramdisk. Bad input is refused before any guest runs, with
 * one line that names the cause.
 */
#include <hv/build.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/control.h>
#include <hv/descriptors.h>
#include <hv/disk.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/lapic.h>
#include <hv/multiboot.h>
#include <hv/netback.h>
#include <hv/nic.h>
#include <hv/options.h>
#include <hv/pagetable.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/report.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/traps.h>
#include <hv/uart.h>
#include <hv/vbd.h>
#include <hv/vif.h>

#define EARLY_LIMIT  (1ull << 30) /* what head.S maps */
#define LAPIC_PADDR  0xfee00000
#define RESERVE	     192 /* frames kept for the state of a domain and our tables */
#define PAGES_PER_MB 256

extern char image_start[], image_end[], boot_stack_top[];
void start(u64 magic, u64 info) __noreturn;

static struct boot_info boot;
static struct options options;
static u64 free_at_boot; /* modules included */

static void __noreturn refuse(const char *what, const char *why)
{
	print_always("refused: %s: %s\n", what, why);
	machine_exit(EXIT_REFUSED);
}

static bool starts_with(const struct boot_module *m, u64 offset, const char *magic)
{
	size_t n = strlen(magic);

	return m->size >= offset + n &&
	       memcmp((u8 *)paddr_to_virt(m->start) + offset, magic, n) == 0;
}

static const char *module_name(unsigned int i)
{
	static char name[24];

	format(name, sizeof(name), "module %u", i + 1);
	return name;
}

/* Groups modules into guests; returns how many. */
static unsigned int find_guests(struct guest_image *guest)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < boot.nr_modules; i++) {
		const struct boot_module *m = &boot.module[i];

		if (m->start.n + m->size > EARLY_LIMIT)
			refuse(module_name(i), "lies above the first gigabyte");
		if (starts_with(m, 0x202, "HdrS"))
			refuse(module_name(i),
			       "is a compressed kernel (bzImage): give its vmlinux");
		if (starts_with(m, 0, "\177ELF")) {
			if (n == MAX_DOMAINS - 1)
				refuse(module_name(i), "more guests than domains");
			guest[n++] = (struct guest_image){
			    .kernel = m->start, .kernel_size = m->size, .cmdline = m->line};
		} else if (n == 0) {
			refuse(module_name(i),
			       "is no ELF file, and the first module must be a kernel");
		} else if (guest[n - 1].ramdisk_size) {
			refuse(module_name(i), "a module too many: a guest has one ramdisk");
		} else {
			guest[n - 1].ramdisk = m->start;
			guest[n - 1].ramdisk_size = m->size;
		}
	}
	return n;
}

/* Memory not asked for by option is shared out equally. */
static void share_memory(struct guest_image *guest, unsigned int n)
{
	u64 avail = free_at_boot;
	unsigned int open = n;

	avail -= MIN(avail, (u64)RESERVE * n);
	for (unsigned int i = 0; i < n; i++) {
		guest[i].nr_pages = options.mem_mb[i + 1] * PAGES_PER_MB;
		if (guest[i].nr_pages > avail)
			refuse("domN.mem", "more memory than the machine has");
		avail -= guest[i].nr_pages;
		open -= guest[i].nr_pages != 0;
	}
	for (unsigned int i = 0; i < n; i++)
		if (!guest[i].nr_pages)
			guest[i].nr_pages = avail / open;
	for (unsigned int i = n + 1; i <= OPTIONS_MAX_DOMAINS; i++)
		if (options.mem_mb[i])
			refuse("domN.mem", "there is no such domain");
}

static void check_interfaces(unsigned int nr_guests)
{
	const struct vif *v;
	const char *wrong = vif_check(nr_guests, &v);
	char name[16];

	if (!wrong)
		return;
	format(name, sizeof(name), "vif%u.%u", vif_domain(v), vif_card(v));
	refuse(name, wrong);
}

static void build_guests(void)
{
	static struct guest_image guest[MAX_DOMAINS];
	struct domain *d[MAX_DOMAINS];
	unsigned int n = find_guests(guest);

	free_at_boot = nr_free_frames;
	for (unsigned int i = 0; i < boot.nr_modules; i++)
		free_at_boot += PFN_UP(boot.module[i].size);
	share_memory(guest, n);
	check_interfaces(n);
	vbd_share(options.disk_parts ? (unsigned int)options.disk_parts : n);
	console_set_prefix(n > 1);
	for (unsigned int i = 0; i < n; i++) {
		const char *wrong = domain_build(&guest[i], &d[i]);
		char name[16];

		format(name, sizeof(name), "guest %u", i + 1);
		if (wrong)
			refuse(name, wrong);
		print_info("d%u: %lu MB, state of the domain itself %lu bytes\n", d[i]->id,
			   d[i]->nr_pages / PAGES_PER_MB, d[i]->state_frames * PAGE_SIZE);
	}
	for (unsigned int i = 0; i < n; i++)
		domain_start(d[i]);
}

static void apply_options(void)
{
	char wrong[200];

	if (!options_parse(&options, boot.cmdline, wrong, sizeof(wrong)))
		refuse(wrong, "unknown or malformed option");
	log_level = options.log_level;
	if (options.slice_us)
		sched_slice_ns = options.slice_us * 1000;
	if (options.stats) {
		report_enable_stats();
		vif_enable_stats();
	}
}

static void reserve_image(void)
{
	boot.map.reserved[boot.map.nr_reserved++] =
	    (struct memory_range){(u64)image_start - IMAGE_BASE, (u64)image_end - IMAGE_BASE};
}

/* Before memory is made frames of. */
static void set_up_disks(void)
{
	struct disk *root = &disks[DISK_ROOT], *data = &disks[DISK_DATA];
	const char *wrong = options.disk_mb ? disk_reserve(&boot.map, options.disk_mb) : NULL;

	if (wrong)
		refuse("disk.mb", wrong);
	if (!options.disk_mb && (options.disk_ns || options.disk_mbps || options.disk_parts))
		refuse("disk", "a speed or parts, but no disk.mb=");
	if (options.disk_parts > (options.disk_mb << 20) / PAGE_SIZE)
		refuse("disk.parts", "more parts than the disk has pages");
	data->latency_ns = options.disk_ns;
	disk_set_rate(data, options.disk_mbps);
	root->start = options.root_start;
	root->nr_sectors = options.root_size / SECTOR_SIZE;
}

void sched_all_done(void)
{
	report_totals(free_at_boot);
	if (options.stats)
		netback_report();
	print_info("all domains have ended at %lu ms\n", clock_now() / 1000000);
	machine_exit(report_all_clean() ? EXIT_CLEAN : EXIT_GUEST_FAILED);
}

void start(u64 magic, u64 info)
{
	const char *wrong;

	uart_init(); /* so that whatever fails next can say so */
	print_always("Rexen, a paravirtualizing hypervisor\n");
	descriptors_init(); /* traps die loudly from here on */
	descriptors_set_stack((u64)boot_stack_top);
	wrong = multiboot_read(&boot, magic, paddr(info));
	if (wrong)
		refuse("boot", wrong);
	apply_options();
	control_init(); /* whatever the firmware left in the processor is gone */
	reserve_image();
	set_up_disks();
	frame_init(&boot.map, EARLY_LIMIT); /* before it, nothing can be allocated */
	pagetable_init();		    /* leaves head.S's tables */
	if (pagetable_map(DEVICE_BASE, paddr(LAPIC_PADDR), PTE_RW | PTE_PCD | PTE_NX) < 0)
		panic("no memory to map the local APIC\n");
	wrong = disk_init();
	if (wrong)
		refuse("disk", wrong);
	lapic_init((void *)DEVICE_BASE);
	clock_init(options.tsc_khz); /* measures the timer that lapic_init() left running */
	nic_init();
	build_guests();
	sched_idle(); /* runs them until all have ended */
}

/* SPDX-License-Identifier: MIT */
/*
 * prepare.h: what the files of the device set-up share.
 *
 * prepare.c is the order of events, disk.c has root image and data disk, files.c the file system on
 * the data disk, net.c the two interfaces.
 */
#ifndef WORKLOADS_PREPARE_PREPARE_H
#define WORKLOADS_PREPARE_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_NS 5000000000ULL
#define ROOT_PLACE  "/mnt/root"

/* Ends the boot with a line that says why: nothing is measured without its devices. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Sleeps a millisecond; false once the deadline, in time since boot, has passed. */
bool wait_more(uint64_t deadline_ns);
bool write_file(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* disk.c: `name` is what the kernel calls the block device. */
struct disk {
	unsigned long mib, latency_ns, rate_mib_s;
};
void disk_parse(const char *text, struct disk *disk);
void disk_make_null(const char *name, const struct disk *disk);
void disk_name(const char *name, const char *role);
void disk_fill(const char *role);
void disk_mount_root(void);

/* files.c: `type` is a file system that the kernel has and the root image has a mkfs for. */
void files_make(const char *type);

/* net.c: both interfaces, by the kernel's names; then a network namespace for each. */
void net_name(const char *left, const char *right);
void net_settle(void);

#endif

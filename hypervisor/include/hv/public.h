/* SPDX-License-Identifier: MIT */
/*
 * The public ABI: Debian's libxen-dev headers, with the interface version that Linux 6.12 uses.
 * This is the only place that includes them, so that no file can get the interface of 2005 by
 * forgetting the version.
 */
#ifndef HV_PUBLIC_H
#define HV_PUBLIC_H

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__

#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/errno.h>

/* What the ring macros want; with one processor only the compiler has to be told. */
#define xen_mb()  asm volatile("" ::: "memory")
#define xen_rmb() xen_mb()
#define xen_wmb() xen_mb()

#define EPERM  XEN_EPERM
#define ENOENT XEN_ENOENT
#define ESRCH  XEN_ESRCH
#define E2BIG  XEN_E2BIG
#define EAGAIN XEN_EAGAIN
#define ENOMEM XEN_ENOMEM
#define EFAULT XEN_EFAULT
#define EBUSY  XEN_EBUSY
#define EEXIST XEN_EEXIST
#define ENODEV XEN_ENODEV
#define EINVAL XEN_EINVAL
#define ENOSPC XEN_ENOSPC
#define ENOSYS XEN_ENOSYS

/* These only the store has names for. */
#define EACCES	  XEN_EACCES
#define EIO	  XEN_EIO
#define EISDIR	  XEN_EISDIR
#define EROFS	  XEN_EROFS
#define ENOTEMPTY XEN_ENOTEMPTY
#define EISCONN	  XEN_EISCONN

#endif

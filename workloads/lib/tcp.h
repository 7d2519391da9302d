/* SPDX-License-Identifier: MIT */
/*
 * tcp.h: TCP over the loopback interface, for benchmarks. Every failure ends the workload.
 */
#ifndef WORKLOADS_LIB_TCP_H
#define WORKLOADS_LIB_TCP_H

#include <stdint.h>

/* Listens on 127.0.0.1 at a port the kernel chooses; buffers of buffer_size unless that is 0. */
int tcp_listen(uint16_t *port, int buffer_size);

int tcp_accept(int listener);
int tcp_connect(uint16_t port, int buffer_size);

#endif

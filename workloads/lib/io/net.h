/* SPDX-License-Identifier: MIT */
/*
 * net.h: the two network interfaces, each in a namespace of its own, that init has made ready
 * (README.md): net0 in `left`, net1 in `right`.
 *
 * The benchmark is the left end; a child is the right one. Outside a guest REXEN_NETNS names another
 * directory than /run/netns; if it is empty, both ends use the loopback interface.
 */
#ifndef WORKLOADS_LIB_IO_NET_H
#define WORKLOADS_LIB_IO_NET_H

#include "bench.h"

#include <netinet/in.h>

enum net_side { NET_LEFT, NET_RIGHT };

/* One transfer's parameters. */
struct net_stream {
	size_t chunk;	 /* bytes written at a time, NET_CHUNK_MAX at most */
	int buffer_size; /* of both sockets, each way; 0: as the kernel likes */
};

#define NET_CHUNK_MAX 65536

/* A side's namespace as an open file, for one who leaves where its name is known; -1: loopback. */
int net_open(enum net_side side);

/* Enters such a namespace: sockets made from now on are of that side. */
void net_enter(int space);

/* A side's address, without a port. */
struct sockaddr_in net_address(enum net_side side);

/* Sets the largest packet of both interfaces. Loopback keeps its own. */
void net_set_mtu(int mtu);

/* A TCP connection from left to right; ends[side] is that side's socket. */
void net_connect(int ends[2], int buffer_size);

/* Two UDP sockets, each connected to the other, whose reads fail after a second. */
void net_datagrams(int ends[2]);

/*
 * Moves n bytes to the right, or to the left, by a connection of its own, and times it at the left
 * end. A sender is done when the other end says it has everything. Content is checked, in places.
 */
void net_send(const struct net_stream *stream, uint64_t n, struct bench_time *t);
void net_receive(const struct net_stream *stream, uint64_t n, struct bench_time *t);

#endif

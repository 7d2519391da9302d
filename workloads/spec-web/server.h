/* SPDX-License-Identifier: MIT */
/*
 * server.h: the web server, in the namespace at the right end of the wire.
 */
#ifndef WORKLOADS_SPEC_WEB_SERVER_H
#define WORKLOADS_SPEC_WEB_SERVER_H

#include <netinet/in.h>

#define SERVER_DATA "/mnt/data"

/* Starts it, in the large root; returns when it takes connections. Leaves us at the left end. */
void server_start(unsigned int directories);

const struct sockaddr_in *server_address(void);

/* Fails the workload if the server is gone. */
void server_check(void);

/* Fails the workload by what the client saw; the server's last words follow. */
void server_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Ends it in good order. */
void server_stop(void);

#endif

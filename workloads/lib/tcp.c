// SPDX-License-Identifier: MIT
/*
 * tcp.c: TCP over the loopback interface. See tcp.h.
 */
#include "tcp.h"

#include "bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The kernel cuts a size above its limit to the limit. */
static int make_socket(int buffer_size)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		bench_fail("socket");
	if (buffer_size > 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof(buffer_size));
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof(buffer_size));
	}
	return fd;
}

static struct sockaddr_in local_address(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

int tcp_listen(uint16_t *port, int buffer_size)
{
	struct sockaddr_in address = local_address(0);
	socklen_t size = sizeof(address);
	int fd = make_socket(buffer_size);

	if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 100) != 0)
		bench_fail("listen on loopback");
	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		bench_fail("getsockname");
	*port = ntohs(address.sin_port);
	return fd;
}

int tcp_accept(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		bench_fail("accept");
	return fd;
}

int tcp_connect(uint16_t port, int buffer_size)
{
	struct sockaddr_in address = local_address(port);
	int fd = make_socket(buffer_size);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		bench_fail("connect to loopback");
	return fd;
}

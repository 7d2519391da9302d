// SPDX-License-Identifier: MIT
/*
 * server.c: Apache, started and stopped. See server.h.
 */
#include "server.h"

#include "app.h"
#include "fileset.h"
#include "net.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S	  60
#define FILES_MAX 16384

static char listen_at[64] = "Listen ";
static char *const argv[] = {
    "/usr/sbin/apache2", "-D",	    "FOREGROUND", "-f", "/workloads/spec-web/httpd.conf",
    "-C",		 listen_at, NULL,
};
static const struct app apache = {.name = "apache2", .argv = argv};
static struct sockaddr_in address;
static pid_t pid;

const struct sockaddr_in *server_address(void)
{
	return &address;
}

static bool is_up(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool up = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return up;
}

/* A connection takes one file here and up to two there. */
static void allow_files(void)
{
	struct rlimit files = {FILES_MAX, FILES_MAX};

	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		bench_fail("RLIMIT_NOFILE");
}

void server_start(unsigned int directories)
{
	int left = net_open(NET_LEFT), right = net_open(NET_RIGHT);

	address = net_address(NET_RIGHT);
	address.sin_port = htons(8080);
	snprintf(listen_at, sizeof(listen_at), "Listen %s:8080", inet_ntoa(address.sin_addr));
	allow_files();
	app_enter();
	umask(022);
	fileset_make(SERVER_DATA "/files", directories);
	net_enter(right);
	pid = app_start(&apache);
	net_enter(left);
	close(right);
	close(left);
	app_await(&apache, pid, is_up, LIMIT_S);
}

void server_check(void)
{
	int status;

	if (waitpid(pid, &status, WNOHANG) == pid)
		app_fail(&apache, "ended with status 0x%x", status);
}

void server_fail(const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	server_check();
	app_fail(&apache, "%s", what);
}

void server_stop(void)
{
	app_stop(&apache, pid, SIGTERM, LIMIT_S);
}

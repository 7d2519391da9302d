// SPDX-License-Identifier: MIT
/*
 * client.c: one process, all clients. See client.h.
 *
 * A client asks, reads the answer as fast as its line carries it, and asks again. The line is this
 * program's doing: after a part of n bytes it is busy for the time that n bytes take, and the next
 * part is read when that is over; TCP's small window does the rest, so it is the server that waits
 * for slow readers. The line's clock runs on from where a part was due, not from when this process
 * got to it; only if the data is not there yet does the client lose time.
 *
 * Events are edges, so a connection is told to epoll once, and data that comes while the line is busy
 * costs no call of the system's.
 */
#include "client.h"

#include "answer.h"
#include "posts.h"
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PART	    4096
#define RECEIVE_BUF 8192 /* the kernel doubles it */
#define HEAD_MAX    512
#define EVENTS	    64
#define RAMP_NS	    300000000ULL /* clients begin one after another */
#define SETTLE_NS   100000000ULL
#define PAUSE_NS    100000000ULL /* after a probe: the server puts away what was cut off */
#define STALL_NS    20000000000ULL
#define SLOT_NS	    1000000ULL
#define SLOTS	    1024
#define TICK_NS	    10000000ULL /* of /proc/stat */
#define NOBODY	    UINT32_MAX

enum client_state {
	PAUSING,    /* the line is busy, or the client is not there yet: a timer runs */
	CONNECTING, /* until the socket can be written to */
	WAITING,    /* for data */
};

struct client {
	int fd;
	enum client_state state;
	bool done;	    /* the whole answer is here, the line still carries it */
	bool kept;	    /* the connection has had an answer before */
	uint64_t due_ns;    /* when the line is free again */
	uint64_t last_ns;   /* when data came */
	uint32_t next;	    /* in the same slot of the timers */
	size_t got, size;   /* bytes of the body */
	size_t head_length; /* bytes of the head, while it is not complete */
	bool in_body;
	struct draw draw;
	struct request request;
	char head[HEAD_MAX];
};

static struct client clients[CLIENT_MOST];
static uint32_t slots[SLOTS]; /* chains of clients whose timers end in the same millisecond */
static uint64_t slot_at;      /* the first that is not over */
static int poller;
static uint64_t received, answered;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static void pause_until(struct client *client, uint64_t due_ns)
{
	uint64_t slot = due_ns / SLOT_NS + 1;

	if (slot < slot_at)
		slot = slot_at;
	if (slot >= slot_at + SLOTS)
		slot = slot_at + SLOTS - 1;
	client->state = PAUSING;
	client->due_ns = due_ns;
	client->next = slots[slot % SLOTS];
	slots[slot % SLOTS] = (uint32_t)(client - clients);
}

static void open_connection(struct client *client, uint64_t now)
{
	struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
	int size = RECEIVE_BUF;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		bench_fail("socket");
	setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (connect(client->fd, (const struct sockaddr *)server_address(),
		    sizeof(struct sockaddr_in)) != 0 &&
	    errno != EINPROGRESS)
		server_fail("cannot be reached: %s", strerror(errno));
	wanted.data.u32 = (uint32_t)(client - clients);
	if (epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &wanted) != 0)
		bench_fail("epoll_ctl");
	client->kept = false;
	client->state = CONNECTING;
	client->last_ns = now;
}

/*
 * A busy server may end a kept connection before it has seen the next request; that is then asked for
 * on another, as any client does. Whatever else ends is lost.
 */
static void ask_again(struct client *client, int error, uint64_t now)
{
	if (!client->kept || client->in_body || client->head_length > 0)
		server_fail("lost the connection of client %u: %s", (unsigned)(client - clients),
			    error ? strerror(error) : "it ended");
	close(client->fd);
	open_connection(client, now);
}

static void ask(struct client *client, uint64_t now)
{
	char text[ANSWER_REQUEST_MAX];
	size_t size;

	if (client->request.kind == POST)
		posts_send(&client->request);
	size = answer_ask(&client->request, text);
	client->size = answer_size(&client->request);
	client->got = client->head_length = 0;
	client->in_body = client->done = false;
	if (send(client->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size) {
		ask_again(client, errno, now);
		return;
	}
	client->state = WAITING;
	client->last_ns = now;
}

/* The line has carried all of the answer. */
static void ask_next(struct client *client, uint64_t now)
{
	if (client->fd >= 0 && client->request.last) {
		close(client->fd);
		client->fd = -1;
	}
	if (client->done)
		draw_next(&client->draw, &client->request);
	client->kept = client->fd >= 0;
	if (client->fd < 0)
		open_connection(client, now);
	else
		ask(client, now);
}

/* Adds to the head what belongs to it; returns how many bytes of the part did. */
static size_t take_head(struct client *client, const char *part, size_t size)
{
	size_t before = client->head_length, room = HEAD_MAX - 1 - before;
	size_t taken = size < room ? size : room;
	const char *fault;
	char *end;

	memcpy(client->head + before, part, taken);
	client->head[before + taken] = '\0';
	end = strstr(client->head, "\r\n\r\n");
	if (!end) {
		client->head_length = before + taken;
		if (taken < size)
			server_fail("sends a head of more than %d bytes", HEAD_MAX);
		return taken;
	}
	end[2] = '\0';
	fault = answer_head_fault(&client->request, client->head);
	if (fault) {
		*strchr(client->head, '\r') = '\0';
		server_fail("answers with %s: %.64s", fault, client->head);
	}
	client->in_body = true;
	return (size_t)(end + 4 - client->head) - before;
}

static void take(struct client *client, const char *part, size_t size)
{
	size_t head = client->in_body ? 0 : take_head(client, part, size);

	part += head;
	size -= head;
	if (size == 0)
		return;
	if (size > client->size - client->got ||
	    !answer_is_right(&client->request, part, client->got, size)) {
		char name[PAGE_NAME + 1];

		page_name(name, &client->request.page);
		server_fail("sends wrong content for %s (kind %u)", name, client->request.kind);
	}
	client->got += size;
	if (client->got < client->size)
		return;
	client->done = true;
	answered++;
	if (client->request.kind == POST)
		posts_answered(&client->request);
}

/* Reads the next part. The line is busy with it from `from_ns` on, or from now if nothing is there. */
static void read_part(struct client *client, uint64_t from_ns, uint64_t now)
{
	static char part[PART];
	ssize_t size = recv(client->fd, part, sizeof(part), 0);

	if (size < 0 && errno == EAGAIN) {
		client->state = WAITING;
		if (now > client->last_ns + STALL_NS)
			server_fail("has sent nothing to a client for %llu s",
				    STALL_NS / 1000000000ULL);
		return;
	}
	if (size <= 0) {
		ask_again(client, size == 0 ? 0 : errno, now);
		return;
	}
	client->last_ns = now;
	received += (uint64_t)size;
	take(client, part, (size_t)size);
	pause_until(client, from_ns + (uint64_t)size * 8 * 1000000000ULL / CLIENT_LINE_BPS);
}

static void timer_over(struct client *client, uint64_t now)
{
	if (client->due_ns > now) /* beyond the last slot */
		pause_until(client, client->due_ns);
	else if (client->fd < 0 || client->done)
		ask_next(client, now);
	else
		read_part(client, client->due_ns, now);
}

static void run_timers(uint64_t now)
{
	for (; slot_at <= now / SLOT_NS; slot_at++) {
		uint32_t at = slots[slot_at % SLOTS];

		slots[slot_at % SLOTS] = NOBODY;
		while (at != NOBODY) {
			struct client *client = &clients[at];

			at = client->next;
			timer_over(client, now);
		}
	}
}

/* Milliseconds to the next timer, or to the end. */
static int wait_ms(uint64_t now, uint64_t end_ns)
{
	uint64_t until = slot_at, end = end_ns / SLOT_NS + 1;

	while (until < end && until < slot_at + SLOTS && slots[until % SLOTS] == NOBODY)
		until++;
	return until * SLOT_NS > now ? (int)((until * SLOT_NS - now + SLOT_NS - 1) / SLOT_NS) : 0;
}

static void run_event(const struct epoll_event *event, uint64_t now)
{
	struct client *client = &clients[event->data.u32];

	if (client->state == CONNECTING && event->events & (EPOLLERR | EPOLLHUP))
		server_fail("refuses client %u", event->data.u32);
	if (client->state == CONNECTING && event->events & EPOLLOUT)
		ask(client, now);
	else if (client->state == WAITING && event->events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		read_part(client, now, now);
}

static void work_until(uint64_t end_ns)
{
	struct epoll_event events[EVENTS];
	uint64_t now = now_ns();

	while (now < end_ns) {
		int n = epoll_wait(poller, events, EVENTS, wait_ms(now, end_ns));

		if (n < 0 && errno != EINTR)
			bench_fail("epoll_wait");
		now = now_ns();
		for (int i = 0; i < n; i++)
			run_event(&events[i], now);
		run_timers(now);
	}
}

static void begin_clients(unsigned int n)
{
	uint64_t now = now_ns();

	poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0)
		bench_fail("epoll_create1");
	slot_at = now / SLOT_NS;
	for (int i = 0; i < SLOTS; i++)
		slots[i] = NOBODY;
	for (unsigned int i = 0; i < n; i++) {
		clients[i] = (struct client){.fd = -1};
		draw_seed(&clients[i].draw, i + 1);
		draw_first(&clients[i].draw, &clients[i].request);
		pause_until(&clients[i], now + RAMP_NS * i / n);
	}
}

/* By a reset: an orderly end would leave the ports of thousands of connections waiting. */
static void end_clients(unsigned int n)
{
	struct linger at_once = {.l_onoff = 1};
	struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (unsigned int i = 0; i < n; i++) {
		if (clients[i].fd < 0)
			continue;
		setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(clients[i].fd);
	}
	close(poller);
	nanosleep(&pause, NULL);
}

/* How long the processor has been idle, since the system came up. */
static uint64_t idle_ns(void)
{
	unsigned long long user, nice, system, idle, waiting;
	FILE *file = fopen("/proc/stat", "re");

	if (!file ||
	    fscanf(file, "cpu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &waiting) != 5)
		bench_fail("/proc/stat");
	fclose(file);
	return (idle + waiting) * TICK_NS;
}

void client_probe(unsigned int n, uint64_t window_ns, struct probe *probe, struct bench_time *t)
{
	uint64_t start, idle;

	begin_clients(n);
	work_until(now_ns() + RAMP_NS + SETTLE_NS);
	received = answered = 0;
	idle = idle_ns();
	start = now_ns();
	bench_start(t);
	work_until(start + window_ns);
	bench_stop(t, received);
	*probe = (struct probe){n, received, now_ns() - start, 0, answered};
	idle = idle_ns() - idle;
	probe->busy_ns = idle < probe->window_ns ? probe->window_ns - idle : 0;
	end_clients(n);
	server_check();
}

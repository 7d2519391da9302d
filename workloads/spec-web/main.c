// SPDX-License-Identifier: MIT
/*
 * spec-web: how many clients a web server keeps content, after SPECweb99 (Figure 3).
 *
 * Written to what is published of SPECweb99; the code is ours. The same are:
 *   - the files: directories of 36, in four classes from 0.1 to 900 KB, and how often each is wanted
 *   - how many directories c connections take: (25 + 0.66 c) * 4.88 MB
 *   - the requests: 70 % files; 12.45 % pages made by a module of the server's, 0.15 % by a CGI
 *     program, 12.6 % with an advertisement by the user's cookie, 4.8 % forms, which are kept; 70 % of
 *     them on connections of about ten
 *   - a client's line of 400 kb/s, of which it must get 320; every request is logged
 * Other are:
 *   - Both ends share the one processor, so the score is of server and clients together.
 *   - The data set is that of 500 connections, scaled: at percent=100 by 1/50, 7 directories (34 MB),
 *     for the data disk has 128 MiB and the smallest guest 192 MB of memory. It is in the page cache
 *     from the start; the paper's, of 2 GB, was in part not.
 *   - The published run is 20 minutes, in which a connection's mean is that of its many requests. In
 *     a window of a second one that happens to load small files looks slower than one in the middle
 *     of a large one. So clients conform if all together get what they want on average, which is what
 *     each would come to; bytes are counted as they come, not when an answer is complete, and with
 *     their heads. Clients begin in the middle of what they load (draw_first).
 *   - Apache 2.4 with its `event` model: the paper's 1.3 needs a process for each connection, which
 *     thousands would not fit into the guests' memory with.
 *   - The advertisements are fewer and chosen by a simpler rule.
 *
 * The score is the largest number of clients that conform, found by a search: the same steps on every
 * system, each a run of its own (client_probe).
 */
#include "bench.h"
#include "client.h"
#include "draw.h"
#include "posts.h"
#include "server.h"

#include <stdbool.h>

#define WINDOW_MS   600
#define CONNECTIONS 500
#define SCALE	    50
#define DIRECTORIES 20 /* no more fit on the disk */
#define FIRST	    64
#define STEPS	    16
#define PATIENCE    20
#define FINE	    64 /* the search ends when so small a part is open */
#define SAMPLES	    128

/* One search's outcome, for the row that reports it again. */
static struct probe outcomes[SAMPLES];
static unsigned int n_outcomes, n_reported;

struct search {
	struct probe conforms; /* the most clients that do; 0: none seen */
	struct probe fails;    /* the fewest that do not */
	int last_side, same_side;
};

static double rate_bps(const struct probe *probe)
{
	return (double)probe->bytes * 8e9 / (double)probe->window_ns;
}

static bool conforms(const struct probe *probe)
{
	return rate_bps(probe) >= (double)probe->clients * CLIENT_WANTED_BPS;
}

static unsigned int between(double value, unsigned int least, unsigned int most)
{
	if (value < least)
		return least;
	return value > most ? most : (unsigned int)value;
}

/* As many as idle time seems to leave room for. */
static unsigned int reach_up(const struct probe *from)
{
	double busy = (double)from->busy_ns / (double)from->window_ns;
	double guess = from->clients / (busy > 0.1 ? busy : 0.1);

	return between(guess, from->clients + from->clients / 8 + 1, CLIENT_MOST);
}

/* Where the line between two probes meets what is wanted; halfway if that has moved one end twice. */
static unsigned int reach_between(const struct search *search)
{
	const struct probe *low = &search->conforms, *high = &search->fails;
	double over = rate_bps(low) / low->clients - CLIENT_WANTED_BPS;
	double under = CLIENT_WANTED_BPS - rate_bps(high) / high->clients;
	double span = high->clients - low->clients;
	double share = search->same_side >= 2 ? 0.5 : over / (over + under);

	return between(low->clients + span * share + 0.5, low->clients + 1, high->clients - 1);
}

static bool is_over(const struct search *search)
{
	unsigned int low = search->conforms.clients, high = search->fails.clients;

	return low == CLIENT_MOST ||
	       (high > 0 && high - low <= (low / FINE > 1 ? low / FINE : 1));
}

static unsigned int next_step(const struct search *search)
{
	const struct probe *low = &search->conforms, *high = &search->fails;

	if (high->clients == 0)
		return reach_up(low);
	if (low->clients == 0)
		return between(rate_bps(high) / CLIENT_WANTED_BPS, 1, high->clients - 1);
	return reach_between(search);
}

static void find_most(uint64_t window_ns, struct probe *most, struct bench_time *t)
{
	struct search search = {0};
	unsigned int clients = FIRST;

	for (int step = 0; step < STEPS && !is_over(&search); step++) {
		struct probe probe;
		int side;

		client_probe(clients, window_ns, &probe, t);
		side = conforms(&probe) ? 1 : -1;
		search.same_side = side == search.last_side ? search.same_side + 1 : 1;
		search.last_side = side;
		*(side > 0 ? &search.conforms : &search.fails) = probe;
		if (!is_over(&search))
			clients = next_step(&search);
	}
	if (search.conforms.clients == 0)
		server_fail("gives not even one client what it wants");
	*most = search.conforms;
}

/* The data set grows with the warm-up's window, which is a quarter of a longer run's. */
static void begin(uint64_t window_ms)
{
	uint64_t directories = (25 + CONNECTIONS * 66 / 100) * window_ms / WINDOW_MS / SCALE;

	if (directories > DIRECTORIES)
		directories = DIRECTORIES;
	draw_begin((unsigned int)directories);
	server_start((unsigned int)directories);
}

/* One probe with few clients; more of it where the server's first answer takes longer than that. */
static void warm_up(uint64_t window_ns, struct probe *probe, struct bench_time *t)
{
	for (int i = 0; i < PATIENCE; i++) {
		client_probe(FIRST / 2, window_ns, probe, t);
		if (probe->bytes > 0)
			return;
	}
	server_fail("has sent nothing to %u clients", FIRST / 2);
}

/* Called for the warm-up first. */
static void search_clients(const struct bench_row *row, uint64_t window_ms, struct bench_time *t)
{
	struct probe *probe = &outcomes[n_outcomes++];

	(void)row;
	if (n_outcomes == 1) {
		begin(window_ms);
		warm_up(window_ms * 1000000, probe, &t[0]);
	} else {
		find_most(window_ms * 1000000, probe, &t[0]);
	}
	t[0] = (struct bench_time){.count = probe->clients, .total_ns = probe->window_ns};
	t[1] = (struct bench_time){.count = probe->bytes, .total_ns = probe->window_ns};
}

static void report_share(const struct bench_row *row, uint64_t window_ms, struct bench_time *t)
{
	const struct probe *probe = &outcomes[n_reported++];

	(void)row;
	(void)window_ms;
	*t = (struct bench_time){.count = probe->busy_ns, .total_ns = probe->window_ns};
}

static void finish(const struct bench_row *row)
{
	(void)row;
	server_stop();
	posts_check(SERVER_DATA "/post.log");
}

static const struct bench_row rows[] = {
    {{"clients", "bandwidth"}, WINDOW_MS, WINDOW_MS, search_clients, NULL, NULL, {0}},
    {{"cpu_share"}, 1, 1, report_share, NULL, finish, {0}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

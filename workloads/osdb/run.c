// SPDX-License-Identifier: MIT
/*
 * osdb: PostgreSQL under ten users, the multi-user tests of OSDB, rows of the paper's Figure 3.
 *
 * As in OSDB, which takes them from AS3AP (Turbyfill, Orji, Bitton): five relations of one schema; each
 * user has a connection of its own through libpq and the server's Unix socket and runs transactions
 * of one statement: `ir` selects a tuple of `updates` by a random key, `oltp` adds one to its attribute
 * `signed` and commits, which waits for the disk; tuples per second are counted. Behind each of the two
 * one user runs the cross section (reports, bulk changes and the check of them) while the others go on.
 * Ten users are OSDB's number for its 40 MB of data.
 *
 * Not as there: counts are fixed, not minutes; random keys come from a seed; the relations are smaller
 * (the data disk holds no more than half of those 100000 tuples a relation); values are spread evenly
 * (AS3AP has some skewed ones); of the indices those on `updates` and on the keys exist; the single-user
 * tests are left out. Every tuple read is compared with what was loaded, and every change is found again
 * in two sums over the relation.
 *
 * The cluster lies on the data disk, a copy of the one that recipe/cluster/cluster.sh has made. The
 * settings are postgresql.conf beside this file; what the server says of them at the end is printed.
 */
#include "app.h"
#include "bench.h"
#include "tuple.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USERS	10
#define HERE	"/workloads/osdb"
#define PLACE	"/tmp/osdb"	 /* the server's socket, and what is loaded */
#define CLUSTER "/mnt/data/osdb" /* on the data disk */
#define EMPTY	"/usr/share/postgresql/cluster/."
#define LIMIT_S 60

static uint64_t tuples = 2000;

static const struct app server = {
    .name = "postgres",
    .argv = (char *[]){"/usr/lib/postgresql/17/bin/postgres", "-D", CLUSTER, NULL},
    .user = APP_POSTGRES_USER,
};
static pid_t server_pid;

static struct user {
	char tuples[16], number[8];
	char *argv[5];
	struct app app;
	pid_t pid;
	int talk;
} users[USERS];

static uint64_t passes;		   /* each has random keys of its own */
static int64_t sum, weighted;	   /* what the two sums over `updates` must be */

/* The line of the server's log that says why it ended: more may have come after it. */
static const char *cause(void)
{
	static char line[400], last[400];
	FILE *log = fopen("/tmp/postgres.log", "r");

	while (log && fgets(line, sizeof(line), log))
		if (strstr(line, "FATAL:") || strstr(line, "PANIC:") ||
		    strstr(line, "terminated by"))
			snprintf(last, sizeof(last), "%.*s", (int)strcspn(line, "\n"), line);
	if (log)
		fclose(log);
	return last[0] ? last : "without a reason";
}

/* Fails the workload because of a client that ended; if the server has, that is the reason. */
static void blame(const struct app *client, pid_t pid)
{
	struct timespec pause = {.tv_nsec = 10000000};
	int status;

	for (int i = 0; i < 500; i++) {
		if (waitpid(server_pid, &status, WNOHANG) == server_pid)
			app_fail(&server, "died (%s)", cause());
		nanosleep(&pause, NULL);
	}
	app_wait(client, pid, NULL);
	app_fail_plain("%s has gone", client->name);
}

/* Runs a program that talks to the server to its end. */
static void run_client(const struct app *client)
{
	pid_t pid = app_start(client);
	siginfo_t end;

	if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) != 0)
		bench_fail(client->name);
	if (end.si_code != CLD_EXITED || end.si_status != 0)
		blame(client, pid);
	app_wait(client, pid, NULL);
}

static void write_relation(const char *name, uint32_t values)
{
	char path[64], address[40];
	FILE *file;

	snprintf(path, sizeof(path), PLACE "/%s", name);
	file = fopen(path, "w");
	if (!file)
		bench_fail(path);
	for (uint32_t place = 0; place < tuples; place++) {
		struct tuple t = tuple_at(place, (uint32_t)tuples, values > 0 ? values : 1);
		uint64_t x = tuple_mix(~(uint64_t)t.rank);

		tuple_letters(address, 2 + (int)(x % 37), x);
		fprintf(file, "%u\t%u\t%d\t%u\t%u\t%u.%02u\t%s\t%s\t%s\t%s\n", t.key, t.integer,
			t.sign, t.rank % 100000, t.rank * 7, t.cents / 100, t.cents % 100, t.date,
			t.code, t.name, address);
		if (strcmp(name, "updates") == 0) {
			sum += t.sign;
			weighted += (int64_t)t.sign * t.key;
		}
	}
	if (fclose(file) != 0)
		bench_fail(path);
}

static void write_relations(void)
{
	FILE *tiny = fopen(PLACE "/tiny", "w");

	if (!tiny || fputs("0\n", tiny) < 0 || fclose(tiny) != 0)
		bench_fail(PLACE "/tiny");
	write_relation("uniques", (uint32_t)tuples);
	write_relation("hundred", 100);
	write_relation("tenpct", (uint32_t)tuples / 10);
	write_relation("updates", (uint32_t)tuples);
}

static void make_directory(const char *path)
{
	if (mkdir(path, 0700) != 0 || chown(path, APP_POSTGRES_USER, APP_POSTGRES_USER) != 0)
		bench_fail(path);
}

static void copy_cluster(void)
{
	const struct app copy = {
	    .name = "cp",
	    .argv = (char *[]){"/usr/bin/cp", "-r", EMPTY, HERE "/postgresql.conf",
			       HERE "/pg_hba.conf", CLUSTER, NULL},
	    .user = APP_POSTGRES_USER,
	};

	app_run(&copy, NULL);
}

/* The server writes this word into the last line of the file when it takes connections. */
static bool server_ready(void)
{
	char text[512];
	FILE *file = fopen(CLUSTER "/postmaster.pid", "r");
	size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	text[size] = '\0';
	return strstr(text, "\nready") != NULL;
}

static void load(void)
{
	const struct app loader = {
	    .name = "osdb-load",
	    .argv = (char *[]){HERE "/user", PLACE, "sql", HERE "/load.sql", NULL},
	    .user = APP_POSTGRES_USER,
	};

	run_client(&loader);
}

static void start_user(int number)
{
	struct user *user = &users[number];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		bench_fail("socketpair");
	snprintf(user->tuples, sizeof(user->tuples), "%u", (uint32_t)tuples);
	snprintf(user->number, sizeof(user->number), "%d", number);
	user->argv[0] = HERE "/user";
	user->argv[1] = PLACE;
	user->argv[2] = user->tuples;
	user->argv[3] = user->number;
	user->app = (struct app){.name = "osdb-user", .argv = user->argv,
				 .user = APP_POSTGRES_USER, .append = true, .talk = ends[1]};
	user->pid = app_start(&user->app);
	user->talk = ends[0];
	close(ends[1]);
}

static void give(struct user *user, uint32_t task, uint64_t count)
{
	struct order order = {task, (uint32_t)count, passes};

	if (send(user->talk, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order))
		blame(&user->app, user->pid);
}

static struct answer hear(struct user *user)
{
	struct answer answer;

	if (recv(user->talk, &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
		blame(&user->app, user->pid);
	return answer;
}

static uint64_t share(uint64_t n, int user)
{
	return n / USERS + ((uint64_t)user < n % USERS);
}

/* What the users have changed in this pass, each `count` tuples of its own. */
static void account(int user, uint64_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t place = tuple_asked(passes, (uint32_t)user, i, (uint32_t)tuples);

		sum++;
		weighted += tuple_key(place);
	}
}

static void check_sums(void)
{
	struct answer found;

	give(&users[0], TASK_SUMS, 1);
	found = hear(&users[0]);
	if (found.sum != sum || found.weighted != weighted)
		app_fail_plain("updates: the sums are %lld and %lld, not %lld and %lld",
			       (long long)found.sum, (long long)found.weighted, (long long)sum,
			       (long long)weighted);
}

static void pass(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	passes++;
	bench_start(t);
	for (int i = 0; i < USERS; i++)
		give(&users[i], (uint32_t)row->arg[0], share(n, i));
	for (int i = 0; i < USERS; i++)
		hear(&users[i]);
	bench_stop(t, n);
	if (row->arg[0] == TASK_OLTP) {
		for (int i = 0; i < USERS; i++)
			account(i, share(n, i));
		check_sums();
	}
}

static void set_up(const struct bench_row *row)
{
	(void)row;
	app_enter();
	make_directory(PLACE);
	make_directory(CLUSTER);
	write_relations();
	copy_cluster();
	server_pid = app_start(&server);
	app_await(&server, server_pid, server_ready, LIMIT_S);
	load();
	unlink("/tmp/osdb-user.log");
	for (int i = 0; i < USERS; i++)
		start_user(i);
	check_sums();
	sync();
}

/* The cross section, and the others do one more of what the row is about. */
static void cross_section(const struct bench_row *row)
{
	passes++;
	give(&users[0], TASK_CROSS_SECTION, 1);
	for (int i = 1; i < USERS; i++)
		give(&users[i], (uint32_t)row->arg[0], 1);
	for (int i = 0; i < USERS; i++) {
		hear(&users[i]);
		if (i > 0 && row->arg[0] == TASK_OLTP)
			account(i, 1);
	}
	check_sums();
}

/* Facts of the cell, which the report shows. */
static void print_settings(void)
{
	const struct app asker = {
	    .name = "osdb-settings",
	    .argv = (char *[]){HERE "/user", PLACE, "print", "settings", NULL},
	    .output = PLACE "/settings",
	    .user = APP_POSTGRES_USER,
	};
	char line[400];
	FILE *file;

	run_client(&asker);
	file = fopen(PLACE "/settings", "r");
	if (!file)
		bench_fail(PLACE "/settings");
	while (fgets(line, sizeof(line), file))
		printf("@rexen fact PostgreSQL.%s", line);
	fclose(file);
	fflush(stdout);
}

static void finish(const struct bench_row *row)
{
	static const char *const left[] = {"tiny",   "uniques", "hundred",
					   "tenpct", "updates", "settings"};
	char path[64];

	cross_section(row);
	print_settings();
	for (int i = 0; i < USERS; i++) {
		close(users[i].talk);
		app_wait(&users[i].app, users[i].pid, NULL);
	}
	app_stop(&server, server_pid, SIGINT, LIMIT_S);
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		snprintf(path, sizeof(path), PLACE "/%s", left[i]);
		unlink(path);
	}
}

static const struct bench_row rows[] = {
    {{"ir"}, 1000, USERS, pass, set_up, cross_section, {TASK_IR}},
    {{"oltp"}, 1000, USERS, pass, NULL, finish, {TASK_OLTP}},
};

int main(int argc, char **argv)
{
	bench_axis("tuples", &tuples, MOST);
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

// SPDX-License-Identifier: MIT
/*
 * user: one user of the database, through libpq, PostgreSQL's own callable interface.
 *
 *   user PLACE TUPLES NUMBER     does what run.c orders over the socket that is its input and output
 *   user PLACE sql FILE          sends the statements of FILE, each of which ends with a line
 *
 * PLACE is where the server's socket lies. An answer that is not what tuple.h computes ends this program
 * with status 1; why is on its standard error.
 */
#include "tuple.h"

#include <libpq-fe.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SELECTED 100 /* tuples that a bulk change of the cross section is about */

static PGconn *connection;
static uint32_t tuples, user;

static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* One statement; its result is to be cleared. */
static PGresult *ask(const char *statement)
{
	PGresult *result = PQexec(connection, statement);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail("%.60s: %s", statement, PQerrorMessage(connection));
	return result;
}

static void tell(const char *statement)
{
	PQclear(ask(statement));
}

static void expect(const PGresult *result, int column, const char *wanted, const struct tuple *t)
{
	const char *found = PQgetvalue(result, 0, column);

	if (strcmp(found, wanted) != 0)
		fail("key %u: %s is \"%s\", not \"%s\"", t->key, PQfname(result, column), found, wanted);
}

static void retrieve(uint32_t place)
{
	struct tuple t = tuple_at(place, tuples, tuples);
	char text[160];
	PGresult *result;

	tell("BEGIN");
	snprintf(text, sizeof(text),
		 "select col_key, col_code, col_date, col_signed, col_name from updates "
		 "where col_key = %u", t.key);
	result = ask(text);
	if (PQntuples(result) != 1 || PQnfields(result) != 5)
		fail("key %u: %d tuples", t.key, PQntuples(result));
	snprintf(text, sizeof(text), "%u", t.key);
	expect(result, 0, text, &t);
	expect(result, 1, t.code, &t);
	expect(result, 2, t.date, &t);
	snprintf(text, sizeof(text), "%d", t.sign);
	expect(result, 3, text, &t);
	expect(result, 4, t.name, &t);
	PQclear(result);
	tell("COMMIT");
}

static void update(uint32_t place)
{
	uint32_t key = tuple_key(place);
	char text[160];
	PGresult *result;

	tell("BEGIN");
	snprintf(text, sizeof(text),
		 "update updates set col_signed = col_signed + 1 where col_key = %u", key);
	result = ask(text);
	if (strcmp(PQcmdTuples(result), "1") != 0)
		fail("key %u: %s tuples changed", key, PQcmdTuples(result));
	PQclear(result);
	tell("COMMIT");
}

/* A statement with one number for an answer. */
static long long number(const char *statement)
{
	PGresult *result = ask(statement);
	long long value = atoll(PQgetvalue(result, 0, 0));

	PQclear(result);
	return value;
}

static void check(const char *statement, long long wanted)
{
	long long found = number(statement);

	if (found != wanted)
		fail("%.100s: %lld, not %lld", statement, found, wanted);
}

static void check_tuples(const char *statement, int wanted)
{
	PGresult *result = ask(statement);

	if (PQntuples(result) != wanted)
		fail("%.100s: %d tuples, not %d", statement, PQntuples(result), wanted);
	PQclear(result);
}

/* AS3AP's bulk changes: keeps a hundred tuples, changes them, finds all changed, and back again. */
static void change_in_bulk(const char *attribute, const char *kept)
{
	char text[256];
	int low = (int)tuples / 2;

	snprintf(text, sizeof(text), "select * into %s from updates where %s between %d and %d", kept,
		 attribute, low, low + SELECTED - 1);
	tell(text);
	for (int change = SELECTED; change >= 0; change -= SELECTED) {
		snprintf(text, sizeof(text),
			 "update updates set col_double = col_double %c 100000000 "
			 "where %s between %d and %d", change ? '+' : '-', attribute, low,
			 low + SELECTED - 1);
		tell(text);
		snprintf(text, sizeof(text),
			 "select count(*) from updates, %s where updates.%s = %s.%s and not "
			 "updates.col_double = %s.col_double", kept, attribute, kept, attribute, kept);
		check(text, change);
	}
	snprintf(text, sizeof(text), "drop table %s", kept);
	tell(text);
}

static void cross_section(void)
{
	uint32_t over = 0;
	char text[256];

	check_tuples("select * from tiny", 1);
	check_tuples("select * from hundred where col_key <= 1000",
		     tuples < 1000 ? (int)tuples : 1000);
	for (int i = 0; i < 3; i++)
		check_tuples("select col_key, col_int, col_signed, col_code, col_double, col_name "
			     "from updates where col_code = '" CODE "'", 1);
	for (uint32_t place = 0; place < tuples; place++)
		over += tuple_at(place, tuples, tuples).cents > 980000000;
	snprintf(text, sizeof(text), "select count(updates.col_decim) from updates where "
		 "updates.col_key in (select updates.col_key from updates, hundred where "
		 "hundred.col_key = updates.col_key and updates.col_decim > 9800000.00)");
	check(text, over);
	change_in_bulk("col_key", "sel100seq");
	change_in_bulk("col_int", "sel100rand");
}

static void answer(const struct order *order)
{
	struct answer done = {0, 0};

	switch (order->task) {
	case TASK_IR:
	case TASK_OLTP:
		for (uint32_t i = 0; i < order->count; i++) {
			uint32_t place = tuple_asked(order->seed, user, i, tuples);

			order->task == TASK_IR ? retrieve(place) : update(place);
		}
		break;
	case TASK_CROSS_SECTION:
		cross_section();
		break;
	case TASK_SUMS:
		check("select count(*) from updates", tuples);
		done.sum = number("select sum(col_signed) from updates");
		done.weighted =
		    number("select sum(col_signed::bigint * col_key::bigint) from updates");
		break;
	}
	if (write(STDOUT_FILENO, &done, sizeof(done)) != sizeof(done))
		fail("nobody listens");
}

static void send_file(const char *path)
{
	static char statement[4096];
	FILE *file = fopen(path, "r");

	if (!file)
		fail("%s: cannot be read", path);
	while (fgets(statement, sizeof(statement), file))
		if (statement[0] != '\n' && statement[0] != '-')
			tell(statement);
	fclose(file);
}

/* What the server runs with where it is not PostgreSQL's own default, a line each. */
static void print_settings(void)
{
	PGresult *result = ask("select name, current_setting(name) from pg_settings "
			       "where source = 'configuration file' order by name");

	for (int i = 0; i < PQntuples(result); i++)
		printf("%s %s\n", PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
	PQclear(result);
	if (fflush(stdout) != 0)
		fail("nobody listens");
}

int main(int argc, char **argv)
{
	struct order order;
	const char *const keys[] = {"host", "dbname", "user", NULL};
	const char *values[] = {argc > 1 ? argv[1] : "", "postgres", "postgres", NULL};

	if (argc != 4)
		fail("user PLACE TUPLES NUMBER | user PLACE sql FILE | user PLACE print settings");
	connection = PQconnectdbParams(keys, values, 0);
	if (PQstatus(connection) != CONNECTION_OK)
		fail("%s", PQerrorMessage(connection));
	if (strcmp(argv[2], "sql") == 0) {
		send_file(argv[3]);
	} else if (strcmp(argv[2], "print") == 0) {
		print_settings();
	} else {
		tuples = (uint32_t)atoi(argv[2]);
		user = (uint32_t)atoi(argv[3]);
		while (read(STDIN_FILENO, &order, sizeof(order)) == sizeof(order))
			answer(&order);
	}
	PQfinish(connection);
	return 0;
}

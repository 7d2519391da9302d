// SPDX-License-Identifier: MIT
/*
 * inputs.c: writes what the programs of spec-int read, drawn from fixed seeds; runs at the build.
 *
 *   inputs text|page|program.c|sentences|game
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES  300000
#define PAGE_BYTES  50000
#define WORDS	    1200
#define FUNCTIONS   3
#define SENTENCES   3
#define MOVES	    4

static uint32_t state;

/* A number below `most`; the low bits of such a generator are poor. */
static uint32_t lot(uint32_t most)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)state * most) >> 32);
}

static const char *pick(const char *const list[], uint32_t length)
{
	return list[lot(length)];
}

#define PICK(list) pick(list, sizeof(list) / sizeof((list)[0]))

/* A pronounceable word for a rank: common ones are short. */
static void put_word(uint32_t rank)
{
	static const char consonants[] = "bcdfghklmnprstvw", vowels[] = "aeiou";

	for (uint32_t n = rank * 7 + 3; n > 0; n /= 80) {
		putchar(consonants[n % 16]);
		putchar(vowels[n / 16 % 5]);
	}
}

/* Words by Zipf's law, as running text has them: a rank is drawn in proportion to its inverse. */
static void words(long most)
{
	static double below[WORDS];
	double all = 0;
	long bytes = 0;

	for (uint32_t i = 0; i < WORDS; i++)
		below[i] = all += 1.0 / (i + 1);
	for (uint32_t column = 0; bytes < most; bytes = ftell(stdout)) {
		double at = all * lot(1u << 30) / (1u << 30);
		uint32_t rank = 0;

		while (rank < WORDS - 1 && below[rank] < at)
			rank++;
		put_word(rank);
		if (++column % 12 == 0 || lot(40) == 0)
			fputs(".\n", stdout);
		else
			putchar(lot(15) == 0 ? ',' : ' ');
	}
	putchar('\n');
}

static void text(void)
{
	words(TEXT_BYTES);
}

static void page(void)
{
	words(PAGE_BYTES);
}

/* One function; each of the forms keeps other parts of a compiler busy. */
static void function(int number)
{
	static const char *const operators[] = {"+", "-", "*", "^", "|", "&"};

	printf("static long work%d(struct item *items, long n)\n{\n\tlong a = %u, b = n, c = 0;\n\n",
	       number, lot(1000));
	printf("\tfor (long i = 0; i < n; i++) {\n");
	printf("\t\tstruct item *it = &items[(i * %u + %u) %% %u];\n\n", 2 * lot(50) + 1, lot(90),
	       64 + lot(64));
	printf("\t\tswitch (it->kind %% %u) {\n", 4 + lot(4));
	for (uint32_t at = 0, cases = 3 + lot(4); at < cases; at++)
		printf("\t\tcase %u:\n\t\t\ta %s= it->value %s %u;\n\t\t\tbreak;\n", at,
		       PICK(operators), PICK(operators), 1 + lot(200));
	printf("\t\tdefault:\n\t\t\tb = a > b ? a - b : b / %u;\n\t\t}\n", 2 + lot(9));
	printf("\t\tif (it->next && it->next->value > a)\n\t\t\tc += work%d(it->next, n / %u);\n",
	       number > 0 ? (int)lot((uint32_t)number) : 0, 2 + lot(3));
	printf("\t\tfor (int k = 0; k < %u; k++)\n\t\t\tit->row[k] %s= (int)(a >> k) %s it->row[%u - k];\n",
	       4 + lot(12), PICK(operators), PICK(operators), 15);
	printf("\t}\n\treturn a * %u + b - c;\n}\n\n", 1 + lot(9));
}

static void program(void)
{
	printf("struct item {\n\tint kind;\n\tlong value;\n\tstruct item *next;\n\tint row[16];\n};\n\n");
	for (int i = 0; i < FUNCTIONS; i++)
		function(i);
	printf("long all(struct item *items, long n)\n{\n\treturn 0");
	for (int i = 0; i < FUNCTIONS; i++)
		printf(" + work%d(items, n)", i);
	printf(";\n}\n");
}

static void sentences(void)
{
	static const char *const who[] = {"the old man", "a student of the college", "my sister",
					  "the engineer who built it", "everybody", "the cat"};
	static const char *const does[] = {"has seen", "wanted to buy", "will remember", "found",
					   "did not like", "is looking for"};
	static const char *const what[] = {"the new machine", "a book about ships",
					   "some of the letters", "the house on the hill",
					   "a better answer", "the results of the test"};
	static const char *const when[] = {"yesterday", "in the morning", "because it was raining",
					   "when the train arrived", "after dinner",
					   "although nobody had asked"};

	for (int i = 0; i < SENTENCES; i++)
		printf("%s %s %s %s.\n", PICK(who), PICK(does), PICK(what), PICK(when));
}

static void game(void)
{
	printf("boardsize 9\nclear_board\n");
	for (int i = 0; i < MOVES; i++)
		printf("genmove %s\n", i % 2 ? "white" : "black");
	printf("estimate_score\nquit\n");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*write)(void);
	} inputs[] = {{"text", text},
		      {"page", page},
		      {"program.c", program},
		      {"sentences", sentences},
		      {"game", game}};

	for (size_t i = 0; argc == 2 && i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		if (strcmp(argv[1], inputs[i].name) != 0)
			continue;
		state = 2003;
		inputs[i].write();
		return fflush(stdout) != 0;
	}
	fprintf(stderr, "usage: inputs text|page|program.c|sentences|game\n");
	return 2;
}

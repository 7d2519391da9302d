// SPDX-License-Identifier: MIT
/*
 * Options of the hypervisor: loglvl=error|warn|info|debug, stats, tsc_khz=N, slice_us=N,
 * domN.mem=MB, disk.mb=N, disk.ns=N, disk.mbps=N, disk.parts=N, root=START,SIZE. An unknown word is
 * an error: a typing mistake must not silently change a measurement.
 */
#include <hv/options.h>
#include <hv/string.h>
#include <hv/vif.h>

#define MAX_WORD 128

static bool number(const char *s, u64 *out)
{
	return str_to_u64(&s, out) && *s == '\0';
}

static bool log_level_from(const char *s, enum log_level *out)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(s, names[i]) == 0) {
			*out = LOG_ERROR + i;
			return true;
		}
	}
	return false;
}

/* domN.mem=MB */
static bool domain_option(struct options *o, const char *s)
{
	u64 id, mb;

	if (!str_to_u64(&s, &id) || id < 1 || id > OPTIONS_MAX_DOMAINS ||
	    strncmp(s, ".mem=", 5) != 0 || !number(s + 5, &mb) || mb == 0 || mb > (1ull << 30))
		return false;
	o->mem_mb[id] = mb;
	return true;
}

/* disk.mb=N and so on */
static bool disk_option(struct options *o, const char *s)
{
	if (strncmp(s, "mb=", 3) == 0)
		return number(s + 3, &o->disk_mb) && o->disk_mb && o->disk_mb <= 65536;
	if (strncmp(s, "ns=", 3) == 0)
		return number(s + 3, &o->disk_ns) && o->disk_ns <= 1000000000;
	if (strncmp(s, "mbps=", 5) == 0)
		return number(s + 5, &o->disk_mbps) && o->disk_mbps && o->disk_mbps <= 1000000;
	if (strncmp(s, "parts=", 6) == 0)
		return number(s + 6, &o->disk_parts) && o->disk_parts && o->disk_parts <= 1024;
	return false;
}

/* root=START,SIZE */
static bool root_option(struct options *o, const char *s)
{
	if (!str_to_u64(&s, &o->root_start) || *s++ != ',')
		return false;
	return number(s, &o->root_size) && o->root_size && o->root_size % PAGE_SIZE == 0;
}

static bool parse_word(struct options *o, const char *w)
{
	if (strcmp(w, "stats") == 0) {
		o->stats = true;
		return true;
	}
	if (strncmp(w, "loglvl=", 7) == 0)
		return log_level_from(w + 7, &o->log_level);
	if (strncmp(w, "tsc_khz=", 8) == 0)
		return number(w + 8, &o->tsc_khz) && o->tsc_khz < (1ull << 32);
	if (strncmp(w, "slice_us=", 9) == 0)
		return number(w + 9, &o->slice_us) && o->slice_us >= 100 && o->slice_us <= 1000000;
	if (strncmp(w, "dom", 3) == 0)
		return domain_option(o, w + 3);
	if (strncmp(w, "disk.", 5) == 0)
		return disk_option(o, w + 5);
	if (strncmp(w, "root=", 5) == 0)
		return root_option(o, w + 5);
	return false;
}

bool options_parse(struct options *o, const char *line, char *wrong, size_t size)
{
	memset(o, 0, sizeof(*o));
	o->log_level = LOG_WARN;
	while (*line) {
		char word[MAX_WORD];
		const char *place;
		size_t n = 0;

		if (*line == ' ') {
			line++;
			continue;
		}
		for (; *line && *line != ' '; line++)
			if (n + 1 < sizeof(word))
				word[n++] = *line;
		word[n] = '\0';
		if (n + 1 == sizeof(word)) /* what was cut off might matter */
			place = word;
		else if (strncmp(word, "vif", 3) == 0)
			place = vif_option(word + 3);
		else
			place = parse_word(o, word) ? NULL : word;
		if (place == word)
			str_copy(wrong, word, size);
		else if (place)
			format(wrong, size, "%s, at \"%s\"", word, place);
		if (place)
			return false;
	}
	return true;
}

// SPDX-License-Identifier: MIT
/* Formatting, numbers, options and time arithmetic. */
#include "unit.h"
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/string.h>
#include <hv/timescale.h>
#include <hv/vif.h>

/* Interfaces have options of their own; this one has a mistake in its sixth character. */
const char *vif_option(const char *text)
{
	return strcmp(text, "1.0.mac=x") == 0 ? NULL : text + 6;
}

static void formatting(void)
{
	char s[64];

	format(s, sizeof(s), "%d %u %x %s %c|%5d|%-4s|%08lx", -5, 7u, 255u, "ab", 'c', 42, "x",
	       0xbeeful);
	EXPECT(strcmp(s, "-5 7 ff ab c|   42|x   |0000beef") == 0);
	EXPECT(format(s, 4, "%s", "abcdef") == 3);
	EXPECT(strcmp(s, "abc") == 0);
	format(s, sizeof(s), "%lu", ~0ul);
	EXPECT(strcmp(s, "18446744073709551615") == 0);
}

static void numbers(void)
{
	const char *s = "0x10rest";
	u64 v = 0;

	EXPECT(str_to_u64(&s, &v) && v == 16 && strcmp(s, "rest") == 0);
	s = "18446744073709551616";
	EXPECT(!str_to_u64(&s, &v));
	s = "x";
	EXPECT(!str_to_u64(&s, &v));
}

static void options(void)
{
	struct options o;
	char wrong[40], longest[200] = "";

	EXPECT(options_parse(&o, " loglvl=debug  stats dom3.mem=128 tsc_khz=1000000 ", wrong,
			     sizeof(wrong)));
	EXPECT(o.log_level == LOG_DEBUG && o.stats && o.mem_mb[3] == 128 && o.tsc_khz == 1000000);
	EXPECT(options_parse(&o, "", wrong, sizeof(wrong)) && o.log_level == LOG_WARN && !o.stats);
	EXPECT(!options_parse(&o, "stats nonsense", wrong, sizeof(wrong)) &&
	       strcmp(wrong, "nonsense") == 0);
	EXPECT(!options_parse(&o, "dom0.mem=1", wrong, sizeof(wrong)));
	EXPECT(options_parse(&o, "vif1.0.mac=x stats", wrong, sizeof(wrong)) && o.stats);
	EXPECT(!options_parse(&o, "vif1.0.rule=x", wrong, sizeof(wrong)) &&
	       strcmp(wrong, "vif1.0.rule=x, at \"le=x\"") == 0);
	memset(longest, '0', sizeof(longest) - 1);
	memcpy(longest, "tsc_khz=", 8);
	EXPECT(!options_parse(&o, longest, wrong, sizeof(wrong)));
	EXPECT(!options_parse(&o, "dom16.mem=1", wrong, sizeof(wrong)));
	EXPECT(!options_parse(&o, "dom1.mem=1x", wrong, sizeof(wrong)));
	EXPECT(!options_parse(&o, "slice_us=1", wrong, sizeof(wrong)));
	EXPECT(!options_parse(&o, "averyveryverylongwordthatdoesnotfit", wrong, sizeof(wrong)));
}

/* The scale must be exact at 1 GHz and within a part in a billion elsewhere, over a week. */
static void time_scales(void)
{
	static const u64 hz[] = {1000000000, 999999999, 2400000000, 100000000, 4123456789, 1500000};
	struct timescale s = timescale_from_hz(1000000000);

	EXPECT(s.mul == 0x80000000u && s.shift == 1);
	EXPECT(timescale_to_ns(s, 123456789) == 123456789);
	for (unsigned int i = 0; i < ARRAY_SIZE(hz); i++) {
		u64 ns;

		s = timescale_from_hz(hz[i]);
		ns = timescale_to_ns(s, hz[i] * 604800);
		EXPECT(ns <= 604800000000000ull && ns > 604800000000000ull - 604800);
		EXPECT(s.mul >= 0x80000000u);
	}
	EXPECT(timescale_snap_hz(1000100000) == 1000000000);
	EXPECT(timescale_snap_hz(1010000000) == 1010000000);
	EXPECT(timescale_snap_hz(2399000000) == 2400000000);
}

int main(void)
{
	formatting();
	numbers();
	options();
	time_scales();
	return unit_failures != 0;
}

# report.sh: parameters, clock and result lines for workloads written in shell; the twin of bench.c.
# shellcheck shell=sh
#
#   . "${0%/*}/../lib/report.sh"          in the guest and on the build machine alike
#   report_parameters "reps=1 percent=100 divide=1" "$@"
#   report_counts 20000 100               sets warm_count and count
#   report_start; ...; report_stop METRIC warm|run REP COUNT
#   report_flush
# Lines are kept until the flush, for a line on the console is work that a timed section would see.
# The grammar is in workloads/README.md.

report_lines=""
report_now=${0%/*}/../lib/now
report_overhead=""

report_check_name() {
	case $1 in
	'' | *[!a-z0-9_]*) report_fail - "bad metric name '$1'" ;;
	esac
}

report_check_number() {
	case $1 in
	'' | *[!0-9]*) report_fail "$report_metric" "not a number: '$1'" ;;
	esac
}

# report_sample METRIC warm|run REP COUNT TOTAL_NS OVERHEAD_NS
report_sample() {
	report_metric=$1
	report_check_name "$1"
	case $2 in
	warm | run) ;;
	*) report_fail "$1" "bad kind of sample '$2'" ;;
	esac
	for report_number in "$3" "$4" "$5" "$6"; do
		report_check_number "$report_number"
	done
	report_lines="$report_lines@rexen sample $1 $2 $3 $4 $5 $6
"
}

report_flush() {
	printf '%s' "$report_lines"
	report_lines=""
}

# report_fail METRIC|- REASON...: prints what is known and ends the workload.
report_fail() {
	report_flush
	report_fail_metric=$1
	shift
	printf '@rexen fail %s %s\n' "$report_fail_metric" "$*"
	exit 1
}

# Starting a program to read the clock is not the subject: the least that an empty section takes.
report_measure_clock() {
	for report_try in 1 2 3 4 5; do
		report_started=$("$report_now")
		report_total=$(($("$report_now") - report_started))
		if [ -z "$report_overhead" ] || [ "$report_total" -lt "$report_overhead" ]; then
			report_overhead=$report_total
		fi
	done
}

# report_start: opens a timed section.
report_start() {
	[ -n "$report_overhead" ] || report_measure_clock
	report_started=$("$report_now")
}

# report_stop METRIC warm|run REP COUNT: closes the section and keeps its sample.
report_stop() {
	report_stopped=$("$report_now")
	report_sample "$1" "$2" "$3" "$4" $((report_stopped - report_started)) "$report_overhead"
}

# report_parameters "KEY=DEFAULT ..." "$@": sets each KEY as a variable: whole numbers from 1 to the
# limits of bench.c, or of nine digits.
report_parameters() {
	report_known=$1
	shift
	for report_pair in $report_known; do
		eval "${report_pair%%=*}=${report_pair#*=}"
	done
	for report_pair in "$@"; do
		case " $report_known" in
		*" ${report_pair%%=*}="*) ;;
		*) report_bad_parameter "$report_pair" ;;
		esac
		case ${report_pair#*=} in
		'' | 0* | *[!0-9]* | ??????????*) report_bad_parameter "$report_pair" ;;
		esac
		case ${report_pair%%=*} in
		reps) report_most=100 ;;
		percent) report_most=100000 ;;
		divide) report_most=1000000 ;;
		*) report_most=999999999 ;;
		esac
		[ "${report_pair#*=}" -le "$report_most" ] || report_bad_parameter "$report_pair"
		eval "${report_pair%%=*}=${report_pair#*=}"
	done
}

report_bad_parameter() {
	printf '@rexen fail - bad parameter "%s": want key=number, keys with defaults: %s\n' \
		"$1" "$report_known"
	exit 2
}

# report_counts FULL LEAST: sets count, by the parameters percent and divide, and warm_count, a
# quarter of it; neither below LEAST.
report_counts() {
	# shellcheck disable=SC2154 # set by report_parameters
	count=$(($1 * percent / 100 / divide))
	[ "$count" -ge "$2" ] || count=$2
	warm_count=$((count / 4))
	[ "$warm_count" -ge "$2" ] || warm_count=$2
}

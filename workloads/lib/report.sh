# report.sh: prints result lines for workloads written in shell; the twin of bench.c.
# shellcheck shell=sh
#
# Source it, call report_sample once per result and report_flush at the end: lines are kept until
# then, for a line on the console is work that a timed section would see. The grammar is in
# workloads/README.md.

report_lines=""

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

# report_parameters "KEY=DEFAULT ..." "$@": sets each KEY (whole numbers above 0) as a variable.
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
		'' | 0* | *[!0-9]*) report_bad_parameter "$report_pair" ;;
		esac
		eval "${report_pair%%=*}=${report_pair#*=}"
	done
}

report_bad_parameter() {
	printf '@rexen fail - bad parameter "%s": want key=number, keys with defaults: %s\n' \
		"$1" "$report_known"
	exit 2
}

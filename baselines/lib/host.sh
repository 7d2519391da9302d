# shellcheck shell=sh
# Sourced by each nested system's host.sh, in the first level: what they have in common.
# Whatever is started here writes to the console; the harness ignores what is not a @rexen line.
export PATH=/bin
exec 2>&1

fail() {
	echo "@rexen host fail $*"
	exit 1
}

# The words of our own command line, without those that only concern the first level.
inner_words() {
	for word in $(cat /proc/cmdline); do
		case $word in
		rexen.host=* | nolapic_timer) ;;
		*) printf '%s ' "$word" ;;
		esac
	done
}

# The rexen.* words alone: all that an inner kernel which is not of our kind can use.
rexen_words() {
	for word in $(cat /proc/cmdline); do
		case $word in
		rexen.host=*) ;;
		rexen.*) printf '%s ' "$word" ;;
		esac
	done
}

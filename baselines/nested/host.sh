# shellcheck shell=sh
# Sourced by each nested system's host.sh, in the first level: what they have in common.
# Whatever is started here writes to the console; the harness ignores what is not a @rexen line.
export PATH=/bin
exec 2>&1

fail() {
	echo "@rexen host fail $*"
	exit 1
}

# Makes the inner guest's root out of its parts, and prints its name. The workload's part is absent
# when a person wants the console. Appended to, not copied: memory is scarce here.
guest_root() {
	if [ -e /host/work.cpio ]; then
		cat /host/work.cpio >>/host/base.cpio && rm /host/work.cpio
	fi
	echo /host/base.cpio
}

# The inner guest's memory in MiB, as the catalogue has it.
guest_memory() {
	sed -n 's/.*rexen\.memory=\([0-9]*\).*/\1/p' /proc/cmdline
}

# The words of our own command line, without those that only concern the first level.
inner_words() {
	for word in $(cat /proc/cmdline); do
		case $word in
		rexen.host=* | rexen.memory=* | nolapic_timer) ;;
		*) printf '%s ' "$word" ;;
		esac
	done
}

# The rexen.* words alone: all that an inner kernel which is not of our kind can use.
rexen_words() {
	for word in $(cat /proc/cmdline); do
		case $word in
		rexen.host=* | rexen.memory=*) ;;
		rexen.*) printf '%s ' "$word" ;;
		esac
	done
}

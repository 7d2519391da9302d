#!/bin/sh
# install.sh STAGE LIST...: installs what the lists (see packages.list) name for a stage, out of the
# pool and nothing else. For the first stage, `base`, what is there already is brought to the pool's
# versions too, up or down.
set -eu
stage=$1
shift
if [ "$stage" = base ]; then
	rm -rf /etc/apt/sources.list.d/* /etc/apt/preferences.d/*
	echo 'deb [trusted=yes] file:/pool ./' >/etc/apt/sources.list
	printf 'Package: *\nPin: release o=rexen-pool\nPin-Priority: 1001\n' >/etc/apt/preferences
	apt-get -q update
	apt-get -q -y --no-install-recommends --allow-downgrades dist-upgrade
fi
# shellcheck disable=SC2046 # one word each
apt-get -q -y --no-install-recommends install \
	$(sed 's/#.*//' "$@" | awk -v stage="$stage" '$1 == stage { print $2 }' | sort -u)

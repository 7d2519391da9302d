#!/bin/sh
# pool.sh LOCK POOL ARCHIVE LIST...: gathers in POOL every Debian package the image is made of.
#
# The LISTs say what is asked for (see packages.list). What LOCK names is taken by its digest: from
# the mirror that apt is set up with here, else from ARCHIVE, a Debian snapshot archive, as it was at
# LOCK's timestamp ("" is none). Then apt chooses all over again, from nothing installed, with what
# was gathered before the mirror: so a package that is nowhere to be had any more, or that LOCK
# does not know, is replaced by the mirror's, with what that depends on.
#
#   POOL/*.deb, Packages, Release   an apt repository, the only one of all later stages
#   POOL/unpack                     the packages to unpack, metapackages followed
#   POOL/inputs                     what it holds, as the lines of LOCK
#   POOL/differs                    NAME locked VERSION built VERSION; empty if nothing differs
set -eu
export LC_ALL=C

[ $# -ge 4 ] || { echo "usage: pool.sh LOCK POOL ARCHIVE LIST..." >&2; exit 2; }
lock=$1 pool=$2 archive=$3
shift 3
work=$(mktemp -d)
mkdir -p "$pool" "$work/archive/partial"
: >"$work/status"
suite=$(sed -n 's/^suite //p' "$lock")
snapshot=$(sed -n 's/^snapshot //p' "$lock")

asked() { # test on the stage, in awk: the packages of these stages
	sed 's/#.*//' "$@" | awk "NF == 2 && $stages { print \$2 }" | sort -u
}

# Nothing counts as installed; the gathered packages come before the mirror's.
choosing="-q -o Dir::State::status=$work/status -o Dir::Etc::Preferences=$work/preferences
	-o APT::Install-Recommends=no -o APT::Sandbox::User=root"
cat >"$work/preferences" <<-END
	Package: *
	Pin: release o=rexen-pool
	Pin-Priority: 995

	Package: *
	Pin: release n=$suite
	Pin-Priority: 990
END
from_archive="-q -o Dir::State::Lists=$work/archive -o Dir::Etc::SourceList=$work/archive.list
	-o Dir::Etc::SourceParts=$work/none -o Dir::State::status=$work/status
	-o APT::Sandbox::User=root -o Acquire::http::Timeout=20 -o Acquire::Retries=2"

locked() { # the lock's packages, without their first word
	sed -n 's/^package //p' "$lock" | sort
}

refresh() { # apt's lists; a mirror that is not there may still be made up for
	apt-get -q -o Acquire::Languages=none -o APT::Sandbox::User=root update ||
		echo "pool.sh: the mirror cannot be read" >&2
}

told() { # an index of packages on standard input: NAME VERSION ARCHITECTURE SHA256 of each
	awk '
		/^Package: / { name = $2 }
		/^Version: / { version = $2 }
		/^Architecture: / { architecture = $2 }
		/^SHA256: / { digest = $2 }
		/^$/ && name { print name, version, architecture, digest; name = "" }' | sort -u
}

offered() { # options: what apt's lists offer of the suite, as `told` has it
	# shellcheck disable=SC2086 # options
	apt-get $1 indextargets --format '$(FILENAME)' 'Created-By: Packages' "Release: $suite" |
		while read -r file; do
			/usr/lib/apt/apt-helper cat-file "$file"
			echo
		done | told
}

take() { # options, file of lines as `told` has them: downloads them into the pool
	[ -s "$2" ] || return 0
	# shellcheck disable=SC2046,SC2086 # options; one word each
	(cd "$pool" && apt-get $1 download $(awk '{ print $1 "=" $2 }' "$2"))
}

index() { # makes the pool a repository, and notes in `held` what it holds
	(
		cd "$pool"
		for deb in *.deb; do
			[ -e "$deb" ] || continue
			dpkg-deb --field "$deb"
			printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" \
				"$(sha256sum "$deb" | cut -d' ' -f1)"
		done >Packages
		printf 'Origin: rexen-pool\nDate: Thu, 01 Jan 1970 00:00:00 UTC\nSHA256:\n %s %s Packages\n' \
			"$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" >Release
	)
	told <"$pool/Packages" >"$work/held"
}

chosen() { # arguments of apt-get: the packages it would take, as `told` has them
	# shellcheck disable=SC2086 # options
	apt-get $choosing --print-uris -y "$@" >"$work/uris" || {
		cat "$work/uris" >&2
		exit 1
	}
	# 'URI' NAME_VERSION_ARCHITECTURE.deb SIZE DIGEST; that digest may be of any kind
	sed -n "s/^'[^']*' \([^_]*\)_\([^_]*\)_\([^_]*\)\.deb .*$/\1 \2 \3/p" "$work/uris" |
		sed 's/%3a/:/' | awk '
			FILENAME != "-" { if (!(($1, $2, $3) in digest)) digest[$1, $2, $3] = $4; next }
			{ print $0, digest[$1, $2, $3] }' "$work/held" "$work/mirror" -
}

# 1. What is locked, from the mirror, then from the archive.
refresh
locked >"$work/locked"
offered "" >"$work/mirror"
comm -12 "$work/locked" "$work/mirror" >"$work/here"
comm -23 "$work/locked" "$work/mirror" >"$work/elsewhere"
take "$choosing" "$work/here"
if [ -s "$work/elsewhere" ] && [ "$archive" ]; then
	# Trusted, because the lock's digests tell more than the archive's signature.
	echo "deb [trusted=yes check-valid-until=no] ${archive%/}/$snapshot $suite main" >"$work/archive.list"
	# shellcheck disable=SC2086 # options
	apt-get $from_archive update || echo "pool.sh: the archive cannot be read" >&2
	offered "$from_archive" | comm -12 "$work/elsewhere" - >"$work/there"
	take "$from_archive" "$work/there" || echo "pool.sh: the archive does not give it all" >&2
fi

# 2. What is asked for, out of that and of the mirror.
index
eval "$(apt-config shell parts Dir::Etc::SourceParts/d)"
# shellcheck disable=SC2154 # set by apt-config
echo "deb [trusted=yes] file:$pool ./" >"$parts/rexen-pool.list"
refresh
stages='$1 == "unpack"'
for name in $(asked "$@"); do
	chosen download "$name"
	# shellcheck disable=SC2086 # options
	real=$(apt-cache $choosing depends --important "$name" |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)
	[ -z "$real" ] || chosen download "$real"
done >"$work/unpacked"
stages='$1 != "unpack"'
# shellcheck disable=SC2046 # one word each
chosen install $(asked "$@") >"$work/installed"
sort -u "$work/installed" "$work/unpacked" >"$work/wanted"
comm -23 "$work/wanted" "$work/held" >"$work/missing"
take "$choosing" "$work/missing"

# 3. The pool is what is wanted, no less and no more.
cmp -s "$work/held" "$work/wanted" || {
	comm -23 "$work/held" "$work/wanted" | while read -r name version architecture _; do
		rm "$pool/${name}_$(echo "$version" | sed 's/:/%3a/')_$architecture.deb"
	done
	index
}
cmp -s "$work/held" "$work/wanted" || {
	echo "pool.sh: these packages cannot be had:" >&2
	comm -3 "$work/held" "$work/wanted" >&2
	exit 1
}
rm "$parts/rexen-pool.list"
cut -d' ' -f1 "$work/unpacked" >"$pool/unpack"
sed 's/^/package /' "$work/wanted" >"$pool/inputs"
awk '
	FILENAME == ARGV[1] { version[$1] = $2; digest[$1] = $4; next }
	!($1 in digest) { print $1, "locked none built", $2 }
	$1 in digest && digest[$1] != $4 { print $1, "locked", version[$1], "built", $2 }
	{ delete digest[$1] }
	END { for (name in digest) print name, "locked", version[name], "built none" }
' "$work/locked" "$work/wanted" | sort >"$pool/differs"
rm -rf "$work"

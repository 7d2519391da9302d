#!/bin/sh
# cluster.sh TREE: makes TREE/usr/share/postgresql/cluster, an empty database cluster of TREE's own
# PostgreSQL that a guest copies: initdb alone would cost it more than a whole workload.
# No locale but C, one database (postgres), log segments of 1 MiB, no configuration files: who starts a
# server brings those. The same bits from every build: still.c, and what a server writes anew is gone.
set -eu
tree=$1
here=$(dirname "$0")
bin=$tree/usr/lib/postgresql/17/bin
out=$tree/usr/share/postgresql/cluster
work=$(mktemp -d)
chmod 755 "$work"
mkdir "$work/made"
chown nobody:nogroup "$work/made"
gcc -O2 -shared -fPIC -o "$work/still.so" "$here/still.c"

as_nobody() {
	(cd / && setpriv --reuid=nobody --regid=nogroup --clear-groups env -i LC_ALL=C TZ=UTC PATH=/usr/bin:/bin \
		LD_LIBRARY_PATH="$tree/usr/lib/x86_64-linux-gnu" LD_PRELOAD="$work/still.so" "$@")
}

as_nobody "$bin/initdb" --pgdata="$work/made" --no-sync --wal-segsize=1 --no-locale --encoding=SQL_ASCII \
	--auth=trust --username=postgres >"$work/log" || { cat "$work/log" && exit 1; }
as_nobody "$bin/postgres" --single -D "$work/made" -c fsync=off postgres >"$work/log" 2>&1 <<-'SQL'
	ALTER DATABASE template0 IS_TEMPLATE false
	ALTER DATABASE template1 IS_TEMPLATE false
	DROP DATABASE template0
	DROP DATABASE template1
SQL
if grep -E 'ERROR|FATAL|PANIC' "$work/log"; then exit 1; fi
as_nobody "$bin/pg_resetwal" --pgdata="$work/made" >/dev/null
(cd "$work/made" && rm -f ./*.conf ./*.opts pg_stat/* global/pg_internal.init base/*/pg_internal.init)
mv "$work/made" "$out"
# Every file becomes root's on the image, and the server's user must read it there.
chmod -R a+rX "$out"
rm -rf "$work"

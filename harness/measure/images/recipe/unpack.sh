#!/bin/sh
# unpack.sh POOL ROOT [LIST]: unpacks below ROOT, without installing them, the packages of POOL/unpack,
# or those alone that LIST (see packages.list) names for the stage `unpack`.
set -eu
mkdir -p "$2"
if [ $# -gt 2 ]; then
	sed 's/#.*//' "$3" | awk '$1 == "unpack" { print $2 }'
else
	cat "$1/unpack"
fi | while read -r name; do
	dpkg-deb --extract "$1/${name}_"*.deb "$2"
done

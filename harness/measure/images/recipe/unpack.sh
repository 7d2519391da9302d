#!/bin/sh
# unpack.sh POOL ROOT: unpacks below ROOT, without installing them, the packages of POOL/unpack.
set -eu
mkdir -p "$2"
while read -r name; do
	dpkg-deb --extract "$1/${name}_"*.deb "$2"
done <"$1/unpack"

#!/bin/sh
# First level of uml: Debian's linux.uml with its one library, and the inner root.
. "$(dirname "$0")/../nested/overlay.sh"

need "$artefacts/uml/linux" user-mode-linux

put_host
put_program "$artefacts/uml/linux" host/linux

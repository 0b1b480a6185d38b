#!/bin/sh
# Installs what tests/spin/ needs beside Python: SPIN, and a C compiler for the programs it writes.
set -eu

complete() {
	spin -V 2>/dev/null | grep -q '^Spin Version' &&
		echo '#include <stdio.h>' | gcc -fsyntax-only -x c - 2>/dev/null
}

install() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	echo "Installing SPIN ..."
	apt-get update -qq &&
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
			spin gcc libc6-dev >/dev/null
}

complete && exit 0
install && complete && exit 0
echo "The tests need SPIN and a C compiler; on Debian, as root: apt-get install spin gcc libc6-dev" >&2
exit 1

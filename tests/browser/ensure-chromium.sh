#!/bin/sh
# Installs what tests/browser/ needs beside Python: Chromium, and a font to draw with.
set -eu

complete() {
	chromium --version 2>/dev/null | grep -q '^Chromium' && fc-list 2>/dev/null | grep -q .
}

install() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	echo "Installing Chromium ..."
	apt-get update -qq &&
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
			chromium fontconfig fonts-dejavu-core >/dev/null
}

complete && exit 0
install && complete && exit 0
echo "The tests need Chromium; on Debian, as root: apt-get install chromium fonts-dejavu-core" >&2
exit 1

#!/bin/sh
# Installs what the tests need beside the build and this machine lacks: prometheus with promtool,
# systemd-analyze, and setpriv. No service of theirs is started.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

missing=
for tool in prometheus promtool systemd-analyze setpriv; do
	have "$tool" || missing="$missing $tool"
done
[ -n "$missing" ] || exit 0

echo "installing what the tests need and is missing here:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
	if ! have sudo; then
		echo "not root, and there is no sudo: install$missing by hand and try again" >&2
		exit 1
	fi
	as_root=sudo
fi

if have apt-get; then
	# RUNLEVEL=1: Debian starts no service then, and the tests start their own.
	$as_root apt-get update -q
	$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends \
		prometheus systemd util-linux
elif have dnf; then
	$as_root dnf install -y golang-github-prometheus systemd util-linux
else
	echo "no apt-get and no dnf here: install$missing by hand and try again" >&2
	exit 1
fi

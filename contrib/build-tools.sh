#!/bin/sh
# Installs what the build needs and this machine lacks: clang (compiles the kernel side), a C
# compiler, make and pkg-config, and the headers of libelf and zlib (libbpf is built from source).
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

missing=
for tool in clang cc make pkg-config; do
	have "$tool" || missing="$missing $tool"
done
for library in libelf zlib; do
	{ have pkg-config && pkg-config --exists "$library"; } || missing="$missing $library"
done
if ! have cargo; then
	echo "mapstop is built with cargo, which is missing: https://rustup.rs or your distribution has it" >&2
	exit 1
fi
[ -n "$missing" ] || exit 0

echo "installing what the build needs and is missing here:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
	if ! have sudo; then
		echo "not root, and there is no sudo: install$missing by hand and try again" >&2
		exit 1
	fi
	as_root=sudo
fi

if have apt-get; then
	$as_root apt-get update -q
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -q -y \
		--no-install-recommends clang gcc libc6-dev make pkg-config libelf-dev zlib1g-dev
elif have dnf; then
	$as_root dnf install -y clang gcc make pkgconf-pkg-config elfutils-libelf-devel zlib-devel
else
	echo "no apt-get and no dnf here: install$missing by hand and try again" >&2
	exit 1
fi

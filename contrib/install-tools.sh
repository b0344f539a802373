#!/bin/sh
# Installs what the build needs and this machine lacks: clang (compiles the kernel side), a C
# compiler, make and pkg-config, and the headers of libelf and zlib (libbpf is built from source).
# With "tests": prometheus with promtool, systemd-analyze, setpriv and strace; no service of theirs is
# started.
# With "guests": what it takes to run tests under other kernels, which come from Debian's packages.
# With "deny" or "fuzz": cargo-deny or cargo-fuzz, built from crates.io, which takes minutes.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

missing=
case ${1:-build} in
build)
	what="the build needs"
	deb="clang gcc libc6-dev make pkg-config libelf-dev zlib1g-dev"
	rpm="clang gcc make pkgconf-pkg-config elfutils-libelf-devel zlib-devel"
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
	;;
tests)
	what="the tests need"
	deb="prometheus strace systemd util-linux"
	rpm="golang-github-prometheus strace systemd util-linux"
	for tool in prometheus promtool strace systemd-analyze setpriv; do
		have "$tool" || missing="$missing $tool"
	done
	;;
guests)
	what="guests need"
	deb="qemu-system-x86 busybox-static cpio"
	rpm="qemu-system-x86-core busybox cpio"
	for tool in qemu-system-x86_64 busybox cpio; do
		have "$tool" || missing="$missing $tool"
	done
	# The lists tell where the packages of kernels are.
	if have apt-get && [ -z "$(apt-get indextargets 'Created-By: Packages')" ]; then
		missing="$missing package-lists"
	fi
	;;
deny | fuzz)
	have "cargo-$1" || cargo install --locked "cargo-$1"
	exit
	;;
*)
	echo "usage: $0 [build|tests|guests|deny|fuzz]" >&2
	exit 2
	;;
esac
[ -n "$missing" ] || exit 0

echo "installing what $what and is missing here:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
	if ! have sudo; then
		echo "not root, and there is no sudo: install$missing by hand and try again" >&2
		exit 1
	fi
	as_root=sudo
fi

# shellcheck disable=SC2086 # names of packages, one word each
if have apt-get; then
	$as_root apt-get update -q
	# RUNLEVEL=1: Debian starts no service then, and the tests start their own.
	$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends $deb
elif have dnf; then
	$as_root dnf install -y $rpm
else
	echo "no apt-get and no dnf here: install$missing by hand and try again" >&2
	exit 1
fi

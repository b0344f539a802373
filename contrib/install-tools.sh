#!/bin/sh
# Installs what is missing here:
#
#   build    to build mapstop: Rust, clang (it compiles the BPF programs), a C compiler, make,
#            pkg-config, and the headers of libelf and zlib (libbpf is built from source)
#   tests    to run the tests: bpftrace, prometheus with promtool, systemd-analyze, setpriv, strace. The service
#            that comes with prometheus is neither started nor enabled.
#   guests   to run tests under other kernels, which come from Debian's packages
#   distros  to try the README's commands on bare distributions, in chroots
#   pictures to draw the pictures in docs/pictures
#   deny     cargo-deny, built from crates.io, which takes minutes
#   fuzz     cargo-fuzz, likewise
#
# Tested on Debian 12, 13 and testing. The package names for Ubuntu, Fedora, Arch, Alpine and openSUSE
# are untested.
set -eu
# The output of apt-cache is read, and debootstrap is where only root looks.
export LC_ALL=C LANGUAGE='' PATH="$PATH:/usr/sbin:/sbin"

have() { command -v "$1" >/dev/null 2>&1; }

fail() {
	printf '%s\n' "$@" >&2
	exit 1
}

can_be_root() { [ "$(id -u)" = 0 ] || have sudo; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo; then
		sudo "$@"
	else
		fail "This takes root, and there is no sudo here. Run it as root, then try again:" "    $*"
	fi
}

# "1.88" of Cargo.toml: the oldest Rust that builds mapstop.
needed_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml")

# Is version $1 at least $needed_rust? Compares major and minor numbers.
is_new_enough() {
	echo "$1 $needed_rust" |
		awk '{ split($1, is, /[.+~-]/); split($2, least, "."); exit !(is[1] > least[1] || is[1] == least[1] && is[2] + 0 >= least[2]) }'
}

# Updates apt's lists, once. apt does not wait for another apt that is doing the same, as one does on a
# machine that was just started. A list that cannot be had is no reason to stop.
update_lists() {
	[ -z "${lists_are_new:-}" ] && can_be_root || return 0
	lists_are_new=1
	for _ in $(seq 60); do
		if messages=$(as_root apt-get update -q 2>&1); then return; fi
		case $messages in
		*"Could not get lock"*) sleep 5 ;;
		*) break ;;
		esac
	done
	echo "apt-get update did not succeed; the package lists may be old:" >&2
	echo "$messages" | grep '^[EW]:' >&2 || true
}

# The Debian package whose cargo is new enough, and its version; nothing if there is none. cargo-web
# is the one that Debian keeps current for its browsers.
find_debian_cargo() {
	for package in cargo cargo-web; do
		version=$(apt-cache policy "$package" | sed -n 's/^  Candidate: \([0-9].*\)/\1/p')
		if [ -n "$version" ] && is_new_enough "$version"; then
			echo "$package $version"
			return
		fi
	done
}

# Adds Rust to what is missing, or says what to do where that is not for this script to decide. It
# comes before anything is installed.
check_rust() {
	# It may be several words: cargo +stable.
	cargo=${CARGO:-cargo}
	if have "${cargo%% *}"; then
		answer=$($cargo --version 2>&1) || true
		version=$(echo "$answer" | sed -n 's/^cargo \([0-9.]*\).*/\1/p')
		[ -n "$version" ] || fail "$(command -v "${cargo%% *}") does not run. It says:" "$answer"
		if is_new_enough "$version"; then
			return
		fi
		echo "$(command -v "${cargo%% *}") is version $version, and mapstop needs $needed_rust or later." >&2
		if have rustup; then
			fail "To update it: rustup update stable"
		fi
		if have apt-get; then
			found=$(find_debian_cargo)
			[ -z "$found" ] || fail "To replace it with version ${found#* }: sudo apt-get install ${found% *}" \
				"Or install a second one with https://rustup.rs, and open a new shell."
		fi
		fail "To install a newer one: https://rustup.rs. Then open a new shell."
	fi
	[ "$cargo" = cargo ] || fail "There is no ${cargo%% *} here. Install it, or unset CARGO to use cargo."
	if have apt-get; then
		found=$(find_debian_cargo)
		if [ -z "$found" ]; then
			update_lists
			found=$(find_debian_cargo)
		fi
		if [ -n "$found" ]; then
			missing="$missing cargo"
			deb="$deb ${found% *}"
			return
		fi
	elif have dnf || have pacman || have apk || have zypper; then
		# Those that are rolling or recent have it; the build says so if one does not.
		missing="$missing cargo"
		rpm="$rpm cargo"
		arch="$arch rust"
		alpine="$alpine cargo"
		suse="$suse cargo"
		return
	fi
	fail "mapstop is built with Rust $needed_rust or later, and there is no cargo here." \
		"To install it: https://rustup.rs"
}

missing=
set -- "${1:-build}"
case $1 in
build)
	what="the build needs"
	deb="clang gcc libc6-dev make pkg-config libelf-dev zlib1g-dev"
	rpm="clang gcc make pkgconf-pkg-config elfutils-libelf-devel zlib-devel"
	arch="clang gcc make pkgconf libelf zlib"
	alpine="clang gcc musl-dev linux-headers make pkgconf elfutils-dev zlib-dev"
	suse="clang gcc make pkgconf-pkg-config libelf-devel zlib-devel"
	clang=${CLANG:-clang}
	if [ "$clang" != clang ] && ! have "$clang"; then
		fail "There is no $clang here. Install it, or unset CLANG to use clang."
	fi
	check_rust
	for tool in "$clang" cc make pkg-config; do
		have "$tool" || missing="$missing $tool"
	done
	for library in libelf zlib; do
		{ have pkg-config && pkg-config --exists "$library"; } || missing="$missing $library"
	done
	;;
tests)
	what="the tests need"
	deb="bpftrace prometheus strace systemd util-linux"
	rpm="bpftrace golang-github-prometheus strace systemd util-linux"
	arch="bpftrace prometheus strace systemd util-linux"
	alpine="bpftrace prometheus strace setpriv util-linux"
	suse="bpftrace golang-github-prometheus-prometheus strace systemd util-linux"
	for tool in bpftrace prometheus promtool strace systemd-analyze setpriv; do
		have "$tool" || missing="$missing $tool"
	done
	;;
guests)
	what="guests need"
	deb="qemu-system-x86 busybox-static cpio"
	rpm="qemu-system-x86-core busybox cpio"
	arch="qemu-system-x86 busybox cpio"
	alpine="qemu-system-x86_64 busybox-static cpio bash"
	suse="qemu-x86 busybox-static cpio"
	for tool in qemu-system-x86_64 busybox cpio; do
		have "$tool" || missing="$missing $tool"
	done
	# The lists say where the packages of kernels are.
	if have apt-get && [ -z "$(apt-get indextargets 'Created-By: Packages')" ]; then
		missing="$missing package-lists"
	fi
	;;
distros)
	what="chroots of distributions need"
	deb="debootstrap"
	rpm="debootstrap"
	arch="debootstrap"
	alpine="debootstrap"
	suse="debootstrap"
	have debootstrap || missing="$missing debootstrap"
	;;
pictures)
	what="drawing pictures needs"
	deb="python3-pil python3-pyte fonts-dejavu-core gifsicle"
	rpm="python3-pillow python3-pyte dejavu-sans-mono-fonts gifsicle"
	arch="python-pillow python-pyte ttf-dejavu gifsicle"
	alpine="py3-pillow py3-pyte font-dejavu gifsicle"
	suse="python3-Pillow python3-pyte dejavu-fonts gifsicle"
	have gifsicle || missing="$missing gifsicle"
	/usr/bin/python3 -c 'import PIL, pyte' 2>/dev/null || missing="$missing python3-pil python3-pyte"
	;;
deny | fuzz)
	# shellcheck disable=SC2086 # cargo may be several words
	have "cargo-$1" || ${CARGO:-cargo} install --locked "cargo-$1"
	exit
	;;
*)
	echo "usage: $0 [build|tests|guests|distros|pictures|deny|fuzz]" >&2
	exit 2
	;;
esac
[ -n "$missing" ] || exit 0

echo "Installing what $what and this machine lacks:$missing"
# shellcheck disable=SC2086 # names of packages, one word each
if have apt-get; then
	if ! can_be_root; then as_root apt-get install --no-install-recommends $deb; fi
	update_lists
	# The tests start their own Prometheus. What Debian asks before it starts a service is this script,
	# which a system that starts services does not have.
	policy=/usr/sbin/policy-rc.d
	if [ "$1" = tests ] && [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin $policy
		trap 'as_root rm -f $policy' EXIT
	fi
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends $deb
	case "$1 $missing" in
	tests*prometheus*) if have systemctl; then as_root systemctl --quiet disable prometheus || true; fi ;;
	esac
elif have dnf; then
	as_root dnf install -y $rpm
elif have pacman; then
	as_root pacman -S --needed --noconfirm $arch
elif have apk; then
	as_root apk add $alpine
elif have zypper; then
	as_root zypper --non-interactive install $suse
else
	fail "This system has no package manager that mapstop knows. Install$missing by hand, then try again."
fi

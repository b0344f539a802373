#!/bin/sh
# Compiles every BPF program with one compiler, as build.rs does, but without Rust: a compiler that
# cannot is found in seconds, and not after the crates are built.
#
#   compile-bpf.sh FOLDER     the objects are written there
#
# The compiler is $CLANG, or else clang. The headers are those of libbpf's crate.
set -eu

out=${1:?the folder for the objects}
clang=${CLANG:-clang}
cd "$(dirname "$0")/.."
case $(uname -m) in
x86_64) arch=x86 ;;
aarch64) arch=arm64 ;;
*) arch=$(uname -m) ;;
esac

cargo=${CARGO:-cargo}
# Of other platforms nothing is downloaded.
host=$("$cargo" -vV | sed -n 's/^host: //p')
headers=$("$cargo" metadata --locked --format-version 1 --filter-platform "$host" |
	grep -o '"manifest_path":"[^"]*/libbpf-sys-[^"]*"' | head -n 1 |
	sed 's/^"manifest_path":"//; s|/Cargo.toml"$||')/libbpf/src
if [ ! -e "$headers/bpf_helpers.h" ]; then
	echo "no libbpf headers in $headers" >&2
	exit 1
fi

mkdir -p "$out/include"
ln -sfn "$headers" "$out/include/bpf"
for source in src/bpf/*.bpf.c examples/zoo/*.bpf.c tests/guests/*.bpf.c benches/mapstop/*.bpf.c; do
	object=$out/$(basename "$source" .c).o
	# shellcheck disable=SC2046 # one word a line
	if ! "$clang" $(cat src/bpf/compile_flags.txt) -D__TARGET_ARCH_"$arch" -I"$out/include" \
		-ffile-prefix-map="$PWD"=. \
		-c "$source" -o "$object"; then
		cat >&2 <<-END

		$("$clang" --version | head -n 1) cannot compile $source.
		mapstop is tested with clang 14, 16, 19 and 23. Install one of them; if it is not the one that
		is called clang, name it: make run CLANG=clang-19
		END
		exit 1
	fi
done

#!/bin/sh
# Compiles every BPF program with one compiler, without Rust: a compiler that cannot is found before the
# crates are built, in seconds.
#
#   compile-bpf.sh FOLDER     the objects are written there
#
# The compiler is $CLANG, or else clang. The headers are those of libbpf's crate.
set -eu

mkdir -p "${1:?the folder for the objects}"
out=$(cd "$1" && pwd)
clang=${CLANG:-clang}
# It may be several words: cargo +stable.
cargo=${CARGO:-cargo}
cd "$(dirname "$0")/.."
case $(uname -m) in
x86_64) arch=x86 ;;
aarch64) arch=arm64 ;;
*) arch=$(uname -m) ;;
esac

# Only crates for this platform are downloaded.
host=$($cargo -vV | sed -n 's/^host: //p')
metadata=$($cargo metadata --locked --format-version 1 --filter-platform "$host")
# In the registry's folder, or in one that `cargo vendor` made.
crate=$(echo "$metadata" | grep -o '"manifest_path":"[^"]*/libbpf-sys[^"/]*/Cargo.toml"' | head -n 1 |
	sed 's/^"manifest_path":"//; s|/Cargo.toml"$||')
headers=$crate/libbpf/src
if [ ! -e "$headers/bpf_helpers.h" ]; then
	echo "The crate libbpf-sys has no bpf_helpers.h: looked in ${crate:-no folder, cargo does not name one}" >&2
	exit 1
fi

mkdir -p "$out/include"
ln -sfn "$headers" "$out/include/bpf"
for source in src/bpf/*.bpf.c examples/zoo/*.bpf.c tests/guests/*.bpf.c benches/mapstop/*.bpf.c; do
	object=$out/$(basename "$source" .c).o
	rm -f "$object"
	# shellcheck disable=SC2046 # one word a line
	"$clang" $(cat src/bpf/compile_flags.txt) -D__TARGET_ARCH_"$arch" -I"$out/include" \
		-ffile-prefix-map="$PWD"=. \
		-c "$source" -o "$object" || true
	if [ ! -s "$object" ]; then
		version=$("$clang" --version 2>/dev/null | head -n 1) || true
		cat >&2 <<-END

		$clang (${version:-unknown version}) cannot compile $source.
		mapstop is tested with clang 14, 16, 19 and 23. Install one of them; if it is not the one that
		is called clang, name it: make run CLANG=clang-19
		END
		exit 1
	fi
done

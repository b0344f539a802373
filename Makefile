# Two commands do everything: `make run` and `make test`. Both install what is missing.

# rustup installs for one user, in a folder that is in the PATH only after the next login.
CARGO ?= $(or $(shell command -v cargo),$(wildcard $(HOME)/.cargo/bin/cargo),cargo)
PREFIX ?= /usr/local
ARGS ?=
PACKAGE_ARGS ?=
TARGET := $(or $(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/release/mapstop

# The compilers whose BPF programs the verifiers of COMPILER_KERNELS have to accept.
COMPILERS ?= clang-14 clang-16 clang-19 clang-newest
COMPILER_KERNELS ?= 5.10 6.1 6.12 newest

# Bare distributions that the README's commands are tried on, each with rustup's Rust or Debian's.
DISTROS ?= bookworm/rustup bookworm/debian trixie/rustup trixie/debian forky/debian

export CARGO
# The compiler of the BPF programs, where it is not clang: build.rs reads it as well.
ifdef CLANG
export CLANG
endif

ifneq ($(words $(CURDIR)),1)
$(error libbpf cannot be built in a folder whose path has spaces: $(CURDIR))
endif

# The kernels of the guests: series of Debian's, and how many of them have to be had.
KERNELS ?= 5.10 6.1 6.12 newest
ALL_KERNELS ?= 5.10 6.1 6.12 6.16 6.17 6.18 6.19 7.0 7.1 7.2 newest
LEAST ?= 1

# Debian's: contrib/install-tools.sh installs modules for it.
PYTHON ?= /usr/bin/python3

# What is fuzzed, each for so many seconds.
TARGETS ?= records recording filter cgroup prometheus
FUZZ_TIME ?= 60

# Only what runs needs root, not what builds.
IS_ROOT := $(filter 0,$(shell id -u))
SUDO := $(if $(IS_ROOT),,sudo)
AS_ROOT := $(if $(IS_ROOT),,--config 'target."cfg(all())".runner = ["sudo", "-E"]')

.PHONY: run build bpf install demo test guests kernels compilers distros nightly lint package deny fuzz \
	storm bench pictures tools test-tools clean

run: build		# mapstop, live; without a terminal it prints one report
	$(SUDO) $(BIN) $(ARGS)

build: tools bpf
	$(CARGO) build --release --locked

bpf: tools		# the BPF programs alone: a compiler that cannot build them is found in seconds
	@sh contrib/compile-bpf.sh $(TARGET)/bpf

install:		# what `make build` or `make run` built, to where sudo finds it
	@test -x $(BIN) || { echo "There is no $(BIN). Run make build first."; exit 1; }
	$(if $(DESTDIR),,$(SUDO)) install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/mapstop

demo: build		# makes some maps, works them, and shows them in mapstop
	$(CARGO) build --release --locked --features demo --bin mapstop-demo
	$(SUDO) $(TARGET)/release/mapstop-demo $(BIN) $(ARGS)

test: tools test-tools bpf		# all tests, those that load BPF programs included
	$(CARGO) test --locked --no-fail-fast $(AS_ROOT)

guests: tools		# the tests of the kernel side under other kernels, which are downloaded and emulated
	@sh contrib/install-tools.sh guests
	tests/guests/all $(LEAST) $(KERNELS)

kernels: tools		# the same under every kernel that can be had; updates the tables in docs/kernels.md
	@sh contrib/install-tools.sh guests
	tests/guests/all 3 $(ALL_KERNELS) && tests/guests/table

compilers: tools	# the BPF programs of COMPILERS, loaded by the verifiers of COMPILER_KERNELS
	@sh contrib/install-tools.sh guests
	tests/guests/compilers "$(COMPILERS)" $(COMPILER_KERNELS)

distros:		# the README's commands in chroots of DISTROS, from nothing; a quarter of an hour each
	@sh contrib/install-tools.sh distros
	$(SUDO) env CARGO_HOME=$(or $(CARGO_HOME),$(HOME)/.cargo) RUSTUP_HOME=$(or $(RUSTUP_HOME),$(HOME)/.rustup) \
		ONLY="$(ONLY)" tests/distros/run $(DISTROS)

nightly:		# what takes too long for every change; one part that fails does not stop the others
	$(MAKE) --keep-going package compilers storm fuzz distros kernels

package: tools		# what `cargo publish` would send, built from what it holds
	$(CARGO) package --locked $(PACKAGE_ARGS)

lint: tools		# formatting, clippy and rustdoc, warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --features demo -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

deny: tools		# licences, sources and duplicates of all crates, and known vulnerabilities if those can be had
	@sh contrib/install-tools.sh deny
	$(CARGO) deny --locked check licenses bans sources
	@# Fuzzing is never passed on.
	$(CARGO) deny --locked --config deny.toml --manifest-path fuzz/Cargo.toml check sources
	@if $(CARGO) deny fetch db; then \
		$(CARGO) deny --locked check advisories; \
	else \
		echo "NOT CHECKED: known vulnerabilities. Their database cannot be had here: github.com/RustSec/advisory-db"; \
	fi

fuzz: tools		# any bytes at every way in, FUZZ_TIME seconds each; what is new is kept in fuzz/found
	@sh contrib/install-tools.sh fuzz
	@# cargo-fuzz knows no --locked.
	$(CARGO) metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml > /dev/null
	for target in $(TARGETS); do \
		mkdir -p fuzz/found/$$target && \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none $$target \
			fuzz/found/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(FUZZ_TIME) -max_len=8192 -timeout=20 -rss_limit_mb=2048 || exit; \
	done

storm: tools		# a minute of maps that come and go, and 100,000 maps: 4 GB of memory, all gone afterwards
	$(CARGO) test --release --locked $(AS_ROOT) --test storm -- --ignored --nocapture --test-threads 1

bench: build		# speed and memory, as ratios in one run; updates the tables in docs/performance.md
	$(CARGO) bench --locked --bench mapstop $(AS_ROOT) | benches/table

pictures: build		# the pictures of the README and docs: runs the demo in a terminal emulator, for four minutes
	@sh contrib/install-tools.sh pictures
	$(CARGO) build --release --locked --features demo --bin mapstop-demo
	$(SUDO) $(PYTHON) contrib/pictures/make.py $(BIN) $(TARGET)/release/mapstop-demo docs/pictures

tools:
	@sh contrib/install-tools.sh

test-tools:
	@sh contrib/install-tools.sh tests

clean:
	$(CARGO) clean

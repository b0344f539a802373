# Two commands do everything: `make run` and `make test`. Both install what is missing.

CARGO ?= cargo
PREFIX ?= /usr/local
ARGS ?=
BIN := target/release/mapstop

# The kernels of the guests: series of Debian's, and how many of them have to be had.
KERNELS ?= 5.10 6.1 6.12 newest
ALL_KERNELS ?= 5.10 6.1 6.12 6.16 6.17 6.18 6.19 7.0 7.1 7.2 newest
LEAST ?= 1

# What is fuzzed, each for so many seconds.
TARGETS ?= records recording filter cgroup prometheus
FUZZ_TIME ?= 60

# Only what runs needs root, not what builds.
IS_ROOT := $(filter 0,$(shell id -u))
SUDO := $(if $(IS_ROOT),,sudo)
AS_ROOT := $(if $(IS_ROOT),,--config 'target."cfg(all())".runner = ["sudo", "-E"]')

.PHONY: run build install demo test guests kernels lint deny fuzz storm bench tools test-tools clean

run: build		# mapstop, live; without a terminal it prints one report
	$(SUDO) $(BIN) $(ARGS)

build: tools
	$(CARGO) build --release --locked

install: build		# to where sudo finds it
	$(SUDO) install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/mapstop

demo: build		# makes some maps, works them, and shows them in mapstop
	$(CARGO) build --release --locked --example demo
	$(SUDO) target/release/examples/demo $(BIN) $(ARGS)

test: tools test-tools		# all tests, those that load BPF programs included
	$(CARGO) test --locked $(AS_ROOT)

guests: tools		# the tests of the kernel side under other kernels, which are downloaded and emulated
	@sh contrib/install-tools.sh guests
	tests/guests/all $(LEAST) $(KERNELS)

kernels: tools		# the same under every kernel that can be had; brings the README's tables of kernels up to date
	@sh contrib/install-tools.sh guests
	tests/guests/all 3 $(ALL_KERNELS); status=$$?; tests/guests/table && exit $$status

lint: tools		# formatting, clippy and rustdoc, warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

deny: tools		# licences, sources and doubles of all crates, and known vulnerabilities if those can be had
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

bench: build		# speed and memory, as ratios in one run
	$(CARGO) bench --locked --bench mapstop $(AS_ROOT)

tools:
	@sh contrib/install-tools.sh

test-tools:
	@sh contrib/install-tools.sh tests

clean:
	$(CARGO) clean

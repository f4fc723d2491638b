# Plimsoll: what a person types. `make` alone lists it.

SHELL := /bin/bash
# Programs and tests share one build: with testable imports on, each would undo the other's.
SWIFT_BUILD := swift build -c release
SWIFT_TEST := swift test -c release --disable-testable-imports --disable-xctest

.DEFAULT_GOAL := help
DEMO_TIME ?= 30s

.PHONY: help demo bootstrap build test simulate chaos crash-test replicas-test sanitize fuzz test-arm64 docs bench bench-quick bench-tools dist image image-test manifests lint lint-deploy format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: build ## Watch a simulated cluster for DEMO_TIME (30s)
	.build/release/plimsoll demo --for $(DEMO_TIME)

bootstrap: ## Install what is missing on Debian 12 (silent when nothing is)
	@.ci/bootstrap

build: bootstrap ## Build the programs
	$(SWIFT_BUILD)

# These keep every core busy, which those that wait for something do not like.
BUSY_TESTS := WatchEngineTests|AnonymiserTests

test: lint ## Lint, build and run every test
	@.ci/bootstrap tests
	PATH="$(CURDIR)/.build-tools/bin:$$PATH" $(SWIFT_TEST) --skip "$(BUSY_TESTS)"
	PATH="$(CURDIR)/.build-tools/bin:$$PATH" $(SWIFT_TEST) --filter "$(BUSY_TESTS)"

SANITIZE := PLIMSOLL_WITHOUT_SIMULATOR=1 PATH="$(CURDIR)/.build-tools/bin:$$PATH" \
	swift test --disable-xctest -Xswiftc -use-ld=lld

ADDRESS_SANITIZER := --scratch-path .build-address --sanitize=address \
	-Xcc -fsanitize=undefined -Xcc -fno-sanitize-recover=undefined
# With locks that ThreadSanitizer knows: see Locked.swift.
THREAD_SANITIZER := --scratch-path .build-thread --sanitize=thread -Xswiftc -DPLIMSOLL_PTHREAD_LOCKS

sanitize: build ## Test engine, client and watch under AddressSanitizer (and UB), then ThreadSanitizer
	export LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp:print_suppressions=0 && \
	export TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/races.supp:print_suppressions=0 && \
	$(SANITIZE) $(ADDRESS_SANITIZER) --skip WatchEngineTests && \
	$(SANITIZE) $(ADDRESS_SANITIZER) --filter WatchEngineTests && \
	$(SANITIZE) $(THREAD_SANITIZER) --skip WatchEngineTests && \
	$(SANITIZE) $(THREAD_SANITIZER) --filter WatchEngineTests

SIMULATED_DAYS ?= 30

simulate: build ## Let a cluster live through SIMULATED_DAYS (30) full of faults, a seed each, in minutes
	.build/release/simulate --seeds $(SIMULATED_DAYS) --hours 24
	.build/release/simulate --ordinary --nodes 5000 --hours 1

CHAOS_FAULTS ?= 10000
CHAOS_SEED ?= 1

chaos: build ## Let CHAOS_FAULTS (10000) strike between a cluster and an informer, over TLS, in minutes
	.build/release/chaos --faults $(CHAOS_FAULTS) --seed $(CHAOS_SEED)

CRASH_KILLS ?= 1000
CRASH_SEED ?= 1

crash-test: build ## Kill a watch CRASH_KILLS (1000) times while a receiver fails: nothing is lost
	python3 Tests/Clients/crash_test.py .build/release $(CRASH_KILLS) $(CRASH_SEED)

REPLICAS_SECONDS ?= 600
REPLICAS_SEED ?= 1

replicas-test: build ## Kill and pause three replicas for REPLICAS_SECONDS (600): nothing is lost
	python3 Tests/Clients/replicas_test.py .build/release $(REPLICAS_SECONDS) $(REPLICAS_SEED)

FUZZ_SECONDS ?= 60

FUZZ_FLAGS := -g -O1 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -fuse-ld=lld \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	-ICSupport/WatchEngine/include -ICSupport/WatchEngine/src

fuzz: bootstrap ## Fuzz decoders and HTTP for FUZZ_SECONDS (60), under AddressSanitizer and UB
	@mkdir -p .build-fuzz/corpus .build-fuzz/protobuf-corpus .build-fuzz/http-corpus
	clang $(FUZZ_FLAGS) -o .build-fuzz/decoder Tests/Fuzz/decoder_fuzz.c \
		CSupport/WatchEngine/src/*.c -lcurl -lssl -lyajl
	clang $(FUZZ_FLAGS) -o .build-fuzz/protobuf Tests/Fuzz/protobuf_fuzz.c \
		CSupport/WatchEngine/src/*.c -lcurl -lssl -lyajl
	clang $(FUZZ_FLAGS) -o .build-fuzz/http Tests/Fuzz/http_fuzz.c \
		CSupport/WatchEngine/src/*.c -lcurl -lssl -lyajl
	.build-fuzz/decoder -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
		-dict=Tests/Fuzz/json.dict -print_final_stats=1 .build-fuzz/corpus Tests/Fuzz/seeds
	.build-fuzz/protobuf -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
		-print_final_stats=1 .build-fuzz/protobuf-corpus Tests/Fuzz/protobuf-seeds
	.build-fuzz/http -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
		-dict=Tests/Fuzz/http.dict -print_final_stats=1 .build-fuzz/http-corpus Tests/Fuzz/http-seeds

# BODIES: recorded lists or watches (JSON) to read as well.
BODIES ?=

test-arm64: ## Cross-build the engine and compare its decoders on AArch64, emulated
	.ci/arm64 $(BODIES)

# Symbol graphs come from a build of their own: its flags would undo the other's.
docs: bootstrap ## Make the libraries' documentation, in .build-docs/html; a broken link fails it
	swift build -c release --target NodeWatch --scratch-path .build-docs \
		-Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir \
		-Xswiftc $(CURDIR)/.build-docs
	for module in KubeClient NodeWatch; do \
		mkdir -p .build-docs/symbols/$$module .build-docs/html && \
		cp .build-docs/$$module.symbols.json .build-docs/symbols/$$module/ && \
		docc convert Sources/$$module/$$module.docc --warnings-as-errors \
			--additional-symbol-graph-dir .build-docs/symbols/$$module \
			--output-path .build-docs/html/$$module --fallback-display-name $$module \
			--fallback-bundle-identifier plimsoll.$$module || exit 1; \
	done

bench-tools: build
	@[ -d .build-tools/lite ] || python3 -m pip install -q --disable-pip-version-check --no-deps \
		--no-compile --target .build-tools/lite kubernetes_lite==0.1.0 2>/dev/null

bench-quick: bench-tools ## Compare with other clients on small clusters, a few minutes
	python3 Benchmarks/bench.py --sizes 100,1000,5000 --paced-sizes 5000 --rounds 3 \
		--steady-rounds 1 --periods 5 --poll-seconds 20

# An hour and a half. STREAMS: recordings, or bodies of lists or watches, to decode as well.
STREAMS ?=

bench: bench-tools ## Compare with other clients; the report goes to Benchmarks/results
	python3 Benchmarks/bench.py --sizes 100,1000,5000,20000 --big-sizes 65000,130000 --rounds 10 \
		$(addprefix --stream ,$(STREAMS)) --out Benchmarks/results

image: ## Build the image localhost/plimsoll:VERSION with buildah (BASE=IMAGE: from that Debian 12)
	deploy/image

image-test: build ## Run the image as a pod would, with podman, against a simulated cluster (as root)
	deploy/test-image

dist: bootstrap ## Make a release's files in .build-dist: tarball, chart, krew manifest, SBOM (URL=…)
	deploy/dist

manifests: build ## Make what follows from the chart: its schema, the kustomize base, install.yaml
	deploy/manifests

lint-deploy: build ## Check the manifests, the Containerfile and the scripts
	@.ci/lint-deploy

lint: bootstrap ## Check format and imports
	@.ci/lint

format: bootstrap ## Format Swift and C in place
	@.ci/lint --fix

clean: ## Remove what was built (the installed tools stay)
	rm -rf .build .build-address .build-thread .build-fuzz .build-docs .build-image .build-dist

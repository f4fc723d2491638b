# Plimsoll: what a person types. `make` alone lists it.

SHELL := /bin/bash
# Programs and tests share one build: with testable imports on, each would undo the other's.
SWIFT_BUILD := swift build -c release
SWIFT_TEST := swift test -c release --disable-testable-imports --disable-xctest

.DEFAULT_GOAL := help
DEMO_TIME ?= 30s

.PHONY: help demo bootstrap build test lint format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: build ## Watch a simulated cluster for DEMO_TIME (30s)
	.build/release/plimsoll demo --for $(DEMO_TIME)

bootstrap: ## Install what is missing on Debian 12 (silent when nothing is)
	@.ci/bootstrap

build: bootstrap ## Build the programs
	$(SWIFT_BUILD)

test: bootstrap lint ## Lint, build and run every test
	PATH="$(CURDIR)/.build-tools/bin:$$PATH" $(SWIFT_TEST)

lint: bootstrap ## Check format and imports
	@.ci/lint

format: bootstrap ## Format Swift and C in place
	@.ci/lint --fix

clean: ## Remove what was built (the installed tools stay)
	rm -rf .build

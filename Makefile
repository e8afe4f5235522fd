# Everything that a fresh machine needs is set up by these targets: Python 3.11 or newer, make, nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

UV_VERSION := 0.13.9
BIN := .venv/bin
PACKAGES := mesh hub audit_service spokes hubctl local
SOURCES := $(PACKAGES) tests protos

.PHONY: help
help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: .venv/ready ## Tells the whole story on a stack of its own, and proves it offline
	@$(BIN)/hubctl demo $(ARGS)

.PHONY: up
up: .venv/ready ## Starts the stack on loopback, until Ctrl-C
	@$(BIN)/hubctl up $(ARGS)

.PHONY: test
test: check ## Runs every check and every test
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(ARGS)

.PHONY: check
check: .venv/ready ## Runs the checks alone: format, lint, types, layers, contracts, dead code
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python protos/generate.py --check
	$(BIN)/buf lint protos
	cd protos && ../$(BIN)/buf breaking --against baseline.binpb
	$(BIN)/vulture

.PHONY: bench
bench: .venv/ready ## Measures throughput and latency on a stack of its own
	@$(BIN)/hubctl bench $(ARGS)

.PHONY: faults
faults: .venv/ready ## Kills processes and checks what must hold: at each failpoint; with RUNS=n: n times at random
	$(BIN)/python -m tests.faults $(if $(RUNS),--runs $(RUNS),--enumerated) --seed $(or $(SEED),1) $(ARGS)

.PHONY: links
links: .venv/ready ## Cuts links, pauses hubs, fills disks, stops services under load, and checks what must hold
	$(BIN)/python -m pytest -m campaign $(ARGS)

.PHONY: simulate
simulate: .venv/ready ## Runs the durable job in a simulated world, in virtual time: SEEDS=n from FIRST=n
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),2000) --first $(or $(FIRST),0) $(ARGS)

.PHONY: bugs
bugs: .venv/ready ## Plants bugs into copies of the product, one at a time: the tests must notice each
	$(BIN)/python -m tests.bugs $(ARGS)

.PHONY: campaigns
campaigns: .venv/ready ## Tells stories of failure on stacks of their own; ARGS="outage --minutes 10 --jobs 10000": one of them
	@$(BIN)/python -m tests.campaigns $(or $(ARGS),all)

.PHONY: protos
protos: .venv/ready ## Makes the stubs from the contracts
	$(BIN)/python protos/generate.py

.venv/ready: pyproject.toml uv.lock
	@python=$$(for name in python3 python3.13 python3.12 python3.11; do \
	  "$$name" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	    && echo "$$name" && break; done || true); \
	if [ -z "$$python" ]; then \
	  echo "Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip is needed, and none was found on PATH." >&2; exit 1; fi; \
	[ -x $(BIN)/python ] || "$$python" -m venv .venv
	@[ "$$($(BIN)/uv --version 2>/dev/null | cut -d' ' -f2)" = "$(UV_VERSION)" ] \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv sync --quiet --locked --inexact --python $(BIN)/python
	@touch $@

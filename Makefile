# Loanbook. `make help` lists the targets. Each one creates what it needs first; everything but a
# program's own output goes to standard error, so that `make run ARGS="--no-serve --json"` can be piped.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The system's own Python was measured to be faster than one that pyenv compiles (docs/adr/0018).
SYSTEM_PYTHON := /usr/bin/python3
PYTHON ?= $(shell $(SYSTEM_PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $(SYSTEM_PYTHON) || echo python3)
BIN := .venv/bin
RUN := .venv/.run-installed
DEV := .venv/.dev-installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The tests start Python some hundred times: without bytecode each would compile the product anew.
unexport PYTHONDONTWRITEBYTECODE
# Each worker of `make test` has a PostgreSQL of its own, and a broker where its tests need one. Tests
# wait about as much as they compute: three workers keep two cores busy.
WORKERS ?= 3
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
# --universal: one file for every platform and Python; index addresses are a matter of the machine.
LOCK := env -u PIP_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
# A relative path of the caller may be relative to this folder or to where `make -C` was typed.
caller_path = $(if $(filter /%,$(1)),$(1),$(if $(wildcard $(CURDIR)/$(1)),$(CURDIR)/$(1),$(PWD)/$(1)))

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-12s %s\n", $$1, $$2}'

$(RUN): requirements/run.txt requirements/demo.txt pyproject.toml
	@{ $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Loanbook needs Python 3.11 or newer; set PYTHON=python3.x")' \
	&& { test -x $(BIN)/python || $(PYTHON) -m venv .venv; } \
	&& echo "Installing into .venv; this happens once." \
	&& $(PIP) install --require-hashes -r requirements/run.txt \
	&& $(PIP) install --require-hashes --no-deps -r requirements/demo.txt \
	&& $(PIP) install --no-deps --no-build-isolation -e . \
	&& touch $@; } 1>&2

$(DEV): $(RUN) requirements/dev.txt
	@{ $(PIP) install --require-hashes -r requirements/dev.txt && touch $@; } 1>&2

.PHONY: install
install: $(DEV) ## create the virtual environment with everything, once

.PHONY: run
run: $(RUN) ## the whole system on this machine: make run ARGS="--no-serve --json"
	@$(BIN)/loanbook run $(ARGS)

.PHONY: run-server
run-server: $(RUN) ## the server shape: broker, relay, projectors, intake and API as processes
	@$(BIN)/loanbook run-server $(ARGS)

.PHONY: test
test: $(DEV) ## every test, against real PostgreSQL and real Apache Kafka
	@$(if $(ARGS),$(BIN)/python -m pytest $(ARGS),$(PYTEST))

.PHONY: test-fast
test-fast: $(DEV) ## the tests that need no server
	@$(PYTEST) -m "not postgres and not kafka and not slow" $(ARGS)

.PHONY: check
check: $(DEV) ## format, lint, types, import arrows, tidy test, generated docs up to date
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture
	@$(BIN)/python -m api.cli.docs --check

.PHONY: format
format: $(DEV) ## put the code into the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: bench
bench: $(DEV) ## the short benchmarks: make bench ARGS="daily_close --loans 1000000"
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: bench-full
bench-full: $(DEV) ## the benchmarks whose figures docs/performance.md shows
	@$(BIN)/python -m benchmarks --full $(ARGS)

.PHONY: soak
soak: $(DEV) ## every fault, full counts: make soak ARGS="--short"
	@$(BIN)/python -m tests.faults.soak $(ARGS)

.PHONY: vectors
vectors: $(DEV) ## run calculation vectors: make vectors VECTORS=file [TAGS=tag,tag] [REPORT=file]
	@$(BIN)/python -m api.cli.vectors "$(call caller_path,$(VECTORS))" \
	$(if $(TAGS),--tags "$(TAGS)") $(if $(REPORT),--report "$(call caller_path,$(REPORT))") $(ARGS)

.PHONY: kafka
kafka: $(RUN) ## fetch the Kafka broker's jars with Maven into .kafka/
	@$(BIN)/python -m infra.broker

.PHONY: browser
browser: ## install Chromium and a Chinese font for the console's tests, where apt can
	@{ if command -v chromium > /dev/null && fc-list :lang=zh 2> /dev/null | grep -q .; then echo "Chromium and a Chinese font are here."; \
	elif command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fontconfig fonts-noto-cjk; \
	else echo "Install chromium and fonts-noto-cjk by hand; without them the browser tests are skipped."; fi; } 1>&2

.PHONY: screenshots
screenshots: $(DEV) ## take the README's pictures of a running console into docs/images/
	@$(BIN)/python -m docs.screenshots $(ARGS)

.PHONY: docs
docs: $(DEV) ## write the generated documents again
	@$(BIN)/python -m api.cli.docs

.PHONY: lock
lock: $(DEV) ## choose the newest allowed versions and write requirements/*.txt
	@$(LOCK) requirements/run.in -o requirements/run.txt
	@$(LOCK) --no-deps requirements/demo.in -o requirements/demo.txt
	@$(LOCK) -c requirements/run.txt requirements/dev.in -o requirements/dev.txt

.PHONY: clean
clean: ## remove environment, jars and caches; never the data in .loanbook/
	@rm -rf .venv .kafka build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis
	@find domain projections consumers api infra tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# Two commands do all the set-up on a fresh machine: `make run` and `make test`.
# Everything lands in .venv and .cache; nothing outside this folder changes, except that
# `make test` installs Debian's Chromium if it is missing and permissions allow.

SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c

PYTHON ?= python3
VENV   := .venv
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check
# One line for each package while it is installed; what goes wrong is on standard error.
SHOWN  := sed -n -E 's/^Collecting ([^ (;]+).*/  \1/p; s/^Successfully installed .*/  done/p'
TORCH  := torch==2.13.0
PARALLEL := --numprocesses auto --dist worksteal
# Compiled modules are kept, whatever the environment says: tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=
LOCKED := install --require-hashes --no-deps --requirement

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-area coverage test-latest test-lowest selftest clients field gallery lint format lock \
  install dev chromium clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: install ## Test the bundled reference server and write a report
	@$(BIN)/conformance run $(ARGS)

test: dev chromium ## Run the default tests: what every change has to pass (see tests/README.md)
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-all: dev chromium ## Run every test, the exhaustive ones too
	@$(BIN)/python -m pytest $(PARALLEL) --lane=all $(ARGS)

test-area: dev ## Run the tests, faults and variants of one area (AREA=stop)
	@test -n "$(AREA)" || { echo "Name an area, as in: make test-area AREA=stop"; exit 2; }
	@$(BIN)/python -m tests.area $(AREA) $(ARGS)

coverage: dev chromium ## Measure which lines and branches the default tests reach
	@$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered --cov-report=html $(ARGS)

test-latest: chromium ## Run the default tests on the newest available versions
	@$(MAKE) --no-print-directory .cache/latest/.made
	@.cache/latest/bin/python -m pytest $(PARALLEL) $(ARGS)

test-lowest: chromium ## Run the default tests on the lowest versions that pyproject.toml allows
	@$(MAKE) --no-print-directory .cache/lowest/.made
	@.cache/lowest/bin/python -m pytest $(PARALLEL) $(ARGS)

clients: dev ## Run the clients with heavy environments too; they are made under .cache
	@$(BIN)/python -m pytest tests/clients --heavy-clients $(ARGS)

field: dev ## Repeat the runs against servers of others (ARGS=fastchat); see tests/field
	@$(BIN)/python -m tests.field $(ARGS)

selftest: install ## Run the suite against all known faults and correct servers (ARGS="--tier deep")
	@$(BIN)/conformance selftest $(ARGS)

gallery: dev ## Render sample reports into reports/gallery (ARGS="--record --pictures" also updates runs and pictures)
	@$(BIN)/python -m tests.gallery $(ARGS)

lint: dev ## Check style, types, spelling and translations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter
	@$(BIN)/codespell
	@$(BIN)/python -m tests.messages --check

format: dev ## Rewrite the code in the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

install: $(VENV)/.server ## Make the environment for running
dev: $(VENV)/.dev ## Make the environment for developing

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.server: pyproject.toml requirements/run.txt | $(BIN)/python
	@echo "Installing the suite and the reference server into $(VENV):"
	@$(PIP) $(LOCKED) requirements/run.txt | $(SHOWN)
	@$(PIP) --quiet install --no-deps --no-build-isolation --editable .
	@touch $@

# PyTorch by its exact version: a range would fetch the newest build with gigabytes of CUDA.
$(VENV)/.dev: pyproject.toml requirements/dev.txt | $(BIN)/python
	@echo "Installing what the tests need into $(VENV):"
	@$(PIP) $(LOCKED) requirements/dev.txt | $(SHOWN)
	@$(PIP) install $(TORCH) | $(SHOWN)
	@$(PIP) --quiet install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.server

# One lock for every platform and Python version. PyTorch is left out, see requirements/torch.in.
RESOLVE = .cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 \
  --excludes <(echo torch)

lock: .cache/uv/bin/uv ## Renew the lock files: the newest versions within pyproject's ranges
	@export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	  lock="$(RESOLVE) --upgrade --generate-hashes --no-annotate"; \
	  eval "$$lock --extra dev pyproject.toml requirements/build.in requirements/torch.in --output-file requirements/dev.txt" && \
	  eval "$$lock --extra server --constraints requirements/dev.txt \
	    pyproject.toml requirements/build.in --output-file requirements/run.txt"

.cache/uv/bin/uv:
	@$(PYTHON) -m venv .cache/uv
	@.cache/uv/bin/python -m pip --disable-pip-version-check --quiet install 'uv>=0.9'

.cache/latest/.made: VENV := .cache/latest
.cache/latest/.made: pyproject.toml
	@echo "Installing the newest versions into $(VENV):"
	@rm -rf $(VENV); $(PYTHON) -m venv $(VENV)
	@$(PIP) install $(TORCH) | $(SHOWN)
	@$(PIP) install --editable '.[dev]' | $(SHOWN)
	@touch $@

.cache/lowest/.made: VENV := .cache/lowest
.cache/lowest/.made: pyproject.toml .cache/uv/bin/uv
	@echo "Installing the lowest versions into $(VENV):"
	@rm -rf $(VENV); $(PYTHON) -m venv $(VENV)
	@$(RESOLVE) --resolution lowest-direct --no-build --extra dev pyproject.toml requirements/build.in requirements/torch.in \
	  --output-file $(VENV)/lowest.txt
	@$(PIP) install --no-deps --requirement $(VENV)/lowest.txt | $(SHOWN)
	@$(PIP) install $(TORCH) | $(SHOWN)
	@$(PIP) --quiet install --no-deps --no-build-isolation --editable .
	@touch $@

chromium:
	@command -v chromium >/dev/null || { \
	  echo "Installing Chromium for the browser tests ..."; \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  { $$sudo apt-get update -qq && $$sudo apt-get install -qq -y chromium >/dev/null; } || \
	  { echo "Chromium could not be installed; install the package 'chromium' and try again."; exit 1; }; }

clean: ## Remove the environment and the caches
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

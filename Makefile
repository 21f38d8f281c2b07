# Two commands do all the set-up on a fresh machine: `make run` and `make test`.
# Everything lands in .venv and .cache; nothing outside this folder changes, except that
# `make test` installs Debian's Chromium where there is none and it may.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run test selftest clients field gallery lint format install dev chromium clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: install ## Hold the bundled reference server against the contract and leave a report
	@$(BIN)/conformance run $(ARGS)

test: dev chromium ## Run every test
	@$(BIN)/python -m pytest --numprocesses auto $(ARGS)

clients: dev ## Run the clients with heavy environments too; they are made under .cache
	@$(BIN)/python -m pytest tests/clients --heavy-clients $(ARGS)

field: dev ## Repeat the runs against servers of others (ARGS=fastchat); see tests/field
	@$(BIN)/python -m tests.field $(ARGS)

selftest: install ## Hold the suite against all known faults and correct servers (ARGS="--tier deep")
	@$(BIN)/conformance selftest $(ARGS)

gallery: dev ## Render sample reports into reports/gallery (ARGS="--record --pictures" also updates runs and pictures)
	@$(BIN)/python -m tests.gallery $(ARGS)

lint: dev ## Check style, types and spelling
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/codespell

format: dev ## Rewrite the code in the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

install: $(VENV)/.server ## Make the environment for running
dev: $(VENV)/.dev ## Make the environment for developing

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.server: pyproject.toml | $(BIN)/python
	@echo "Installing the suite and the reference server into $(VENV) ..."
	@$(PIP) install --editable '.[server,generated]'
	@touch $@

# Torch first and by its exact version: a range would fetch the newest build with gigabytes of CUDA.
$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) install torch==2.13.0
	@$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/.server

chromium:
	@command -v chromium >/dev/null || { \
	  echo "Installing Chromium for the browser tests ..."; \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  { $$sudo apt-get update -qq && $$sudo apt-get install -qq -y chromium >/dev/null; } || \
	  { echo "Chromium could not be installed; install the package 'chromium' and try again."; exit 1; }; }

clean: ## Remove the environment and the caches
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

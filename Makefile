# `make demo` and `make test` do all the set-up themselves on a fresh machine; the rest builds on the same .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP_FLAGS := --quiet --disable-pip-version-check --constraint constraints.txt
OUT ?= runs/demo

.DEFAULT_GOAL := help
.PHONY: help demo test slow check format bench docs clean

help: ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Isophrase needs Python 3.11 or newer; this is %s. Set PYTHON=..." % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "setting up $(VENV) (a few minutes the first time: torch is large)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install $(PIP_FLAGS) --editable '.[dev]'
	@touch $@

demo: $(READY) ## measure, align, verify, report: runs/demo/
	$(BIN)/isophrase demo --out $(OUT)

test: $(READY) ## the default test run (under 12 minutes on 2 cores)
	$(BIN)/isophrase models get smollm2-135m-instruct
	$(BIN)/python -m pytest

slow: $(READY) ## the tests that take minutes each
	$(BIN)/python -m pytest -m slow

check: $(READY) ## ruff, mypy --strict, the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## apply ruff's formatting and safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## side by side with lm-evaluation-harness, as ratios
	PYTHON=$(BIN)/python benchmarks/run.sh

docs: $(READY) ## the documentation as a site in site/, links checked
	@$(BIN)/pip install $(PIP_FLAGS) --editable '.[docs]'
	$(BIN)/mkdocs build --strict

clean: ## forget the environment and what was built
	rm -rf $(VENV) .venv-bench site build dist

# One verb a line, the same for people and for .ci/run. `make` alone lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
EXTRAS := baselines,fast,pandas,sql,plots,docs,dev
READY  := $(VENV)/.ready

# Nothing outside this checkout may change what a verb does.
unexport PYTHONPATH
unexport VIRTUAL_ENV
# Tests are compiled once, not once for every worker of every run.
unexport PYTHONDONTWRITEBYTECODE
# Waiting OpenMP threads that spin make small operations ten times slower on a busy machine.
export OMP_WAIT_POLICY := passive
# mkdocs-material greets each build with a page about the next mkdocs.
export NO_MKDOCS_2_WARNING := 1

WORKERS ?= 2
# Files go out in their order, so that those of the docstrings come last: they are small, and workers end together.
PYTEST  := OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup fmt check test slow docs bench bench-speed demo clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 13

setup: $(READY) ## make .venv with pinned versions; at once where it is up to date

# torch goes first and by its exact version: a range in an empty environment may bring gigabytes of CUDA.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else "JointRec needs Python 3.11 to 3.13 and found %d.%d. Name another: make setup PYTHON=python3.12" % v)'
	@echo "Making $(VENV) (a few minutes, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install -c constraints.txt torch==2.13.0
	@$(PIP) install -c constraints.txt -e '.[$(EXTRAS)]'
	@$(PIP) check
	@touch $@

fmt: setup ## put the code into its form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

check: setup ## form, types, layers, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

test: setup ## the fast tests and every example in a docstring; warnings are errors
	$(PYTEST) -q

slow: setup ## the tests that take more than a few seconds
	$(PYTEST) -q -m slow

docs: setup ## build the site into site/, offline; warnings are errors
	$(BIN)/mkdocs build --strict

bench: setup ## measure speed, script by script
	@set -e; for script in benchmarks/speed/*.py; do echo "$$script"; $(BIN)/python "$$script"; done

bench-speed: setup ## measure speed beside other libraries, and write the page about it; ARGS="--full" for all of it
	$(BIN)/python benchmarks/speed/peers/measure.py $(ARGS)

demo: setup ## a simulated shop: one model, at least ten tasks, the table and some answers
	$(BIN)/jointrec demo --out runs/demo

clean: ## remove what the verbs made, but runs/
	rm -rf $(VENV) site dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

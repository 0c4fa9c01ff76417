# make demo | test | lint | bench | clean | lock: each sets itself up in .venv on the first call.
# Needs Python 3.11 or newer, git and make. Without make (Windows): the plain commands are in README.md.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint style types layers declared bench clean lock

# The first Python on the path that is new enough; or give one: make PYTHON=/path/to/python3.12 demo
PYTHON ?= $(shell for p in python3 python python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
VENV := .venv
BENCH_VENV := .venv-bench
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
SELF := $(PIP) install --quiet --no-build-isolation --no-deps --editable .

help:
	@echo "make demo    allocate the aluminium example's credits, verify the run and show the answer"
	@echo "make test    run every test"
	@echo "make lint    style, types, layers, declared dependencies (each is a target, too)"
	@echo "make bench   time whole runs, and the plain model in linopy, PuLP and Pyomo, for hours; BENCH=small: minutes"
	@echo "make lock    refresh the locks from pyproject.toml (needs a package index)"
	@echo "make clean   remove what these made (.venv, .venv-bench, runs, caches)"

# ---- set-up, once ------------------------------------------------------------------------------------

$(VENV)/created $(BENCH_VENV)/created:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is not Python 3.11 or newer" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "error: $(PYTHON) cannot make a virtual environment (ensurepip is missing); on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv $(@D)
	@touch $@

$(VENV)/runtime: $(VENV)/created requirements.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(SELF)
	@touch $@

$(VENV)/dev: $(VENV)/created requirements-dev.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	$(SELF)
	@touch $@

# The peers of the benchmarks have an environment of their own: nobody else needs them.
$(BENCH_VENV)/ready: $(BENCH_VENV)/created requirements-bench.lock pyproject.toml
	$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements-bench.lock
	$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

# ---- what people ask for -----------------------------------------------------------------------------

demo: $(VENV)/runtime
	$(VENV)/bin/massbalance run data/aluminium --out runs/aluminium
	$(VENV)/bin/massbalance verify runs/aluminium
	@echo
	@echo "The first orders (runs/aluminium/orders.csv):"
	@head -n 6 runs/aluminium/orders.csv
	@echo
	@echo "For planners: runs/aluminium/result.xlsx. Every file of the run is described in README.md."
	@echo "Next: $(VENV)/bin/massbalance post runs/aluminium"

test: $(VENV)/dev
	$(PY) -m pytest -n 2

lint: style types layers declared

style: $(VENV)/dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/dev
	$(VENV)/bin/mypy

layers: $(VENV)/dev
	$(VENV)/bin/lint-imports

declared: $(VENV)/dev
	$(VENV)/bin/deptry src

# Options of benchmarks/run.py go into ARGS: make bench ARGS=--write
BENCH ?= all
bench: $(BENCH_VENV)/ready
	$(BENCH_VENV)/bin/python -m benchmarks.run --cases $(BENCH) $(ARGS)

# ---- upkeep ------------------------------------------------------------------------------------------

COMPILE = $(VENV)/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

lock: $(VENV)/created
	$(PIP) install --quiet uv
	$(COMPILE) --extra build -o requirements.lock
	$(COMPILE) --extra build --extra lint --extra test -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --extra bench --extra build -c requirements.lock -o requirements-bench.lock

clean:
	rm -rf $(VENV) $(BENCH_VENV) runs build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

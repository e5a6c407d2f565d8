# A few commands, Python 3.10+ and nothing else: `make demo`, `make demo-sqlite` and `make demo-sql` play the sample project,
# `make test` is for each change, `make test-all` is what CI runs of the tests, `make corner` the rest of it.
# PostgreSQL comes in a wheel; DATABASE_URL, where set, names a server to use instead.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo demo-sqlite demo-sql test test-all lint corner clean

demo: $(READY)
	$(BIN)/python -m sample_project

demo-sqlite: $(READY)
	$(BIN)/python -m sample_project --sqlite

demo-sql: $(READY)
	$(BIN)/python -m sample_project --sql

test: lint
	$(BIN)/pytest -n auto -m 'not slow'

test-all: lint
	$(BIN)/pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# the wheel, the pages, and the tests on the oldest versions that are supported; `nox` runs all there is
corner: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	$(BIN)/nox --session package docs corner

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed: make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' # the first that reads groups
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group test --editable '.[completion,progress,scan]'
	touch $@

clean:
	rm -rf $(VENV) .nox build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

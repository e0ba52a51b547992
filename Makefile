# `make demo` and `make test` set up what they need; `make setup` alone makes .venv with the `ridgeline` command.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: setup demo test test-long lint types format bench bench-smoke nab clean

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	$(BIN)/ridgeline demo

test: setup
	$(BIN)/python -m pytest -m "not long"

test-long: setup
	$(BIN)/python -m pytest -m long --hypothesis-profile=long

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Our io/ folder would hide the standard library's io from mypy at the root, so it checks a mirror of the package.
types: setup
	$(BIN)/python .ci/mirror.py build/typecheck
	cd build/typecheck && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p ridgeline

bench: setup
	$(BIN)/ridgeline bench

bench-smoke: setup
	$(BIN)/python -m pytest tests/test_bench_smoke.py

nab: setup
	$(BIN)/ridgeline nab

clean:
	rm -rf build dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# `make demo` and `make test` set up what they need; `make setup` alone makes .venv with the `ridgeline` command.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
METRICS ?= 300000
# Some images set it: then each of the hundreds of processes that tests start would compile all sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo demo-large warm test coverage test-long test-services test-report report-picture test-bounds lint types format bench bench-smoke nab quality clean
# As many workers as a small machine has cores; they share nothing but the compiled kernels.
PYTEST := -m pytest -m "not long and not services and not browser" -n 2 --dist worksteal

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	$(BIN)/ridgeline demo $(DEMO)

# A fleet of 300,000 metrics, minute by minute: what each run took beside MGET alone. 13 GB of memory, and ten minutes.
demo-large: setup
	$(BIN)/ridgeline bench run --warm-only --metrics $(METRICS) --runs 5

# Once, so that neither two workers nor the first command of a test have to.
warm: setup
	$(BIN)/ridgeline warmup

test: warm
	$(BIN)/python $(PYTEST)

# The suite with what it covers, commands that it starts included. The floors lie just below what is true.
coverage: warm
	rm -f .coverage .coverage.*
	$(BIN)/coverage run $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='engine/*' --fail-under=96
	$(BIN)/coverage report --include='io/*' --fail-under=96
	$(BIN)/coverage report --include='alerters/*' --fail-under=98

# Once more with every array index checked: compiled code reads out of bounds silently otherwise.
test-bounds: setup
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -q tests/kernels/test_kernel_laws.py tests/kernels/test_decode.py tests/engine/test_replay.py -m "not long and not services" -k "not replay or hard or every_step or short or parity or users"

# Against the real Alertmanager and Prometheus' own checker, from the system's packages.
test-services: setup
	{ command -v amtool && command -v promtool; } >/dev/null || { apt-get update -qq && apt-get install -y -qq prometheus-alertmanager prometheus >/dev/null; }
	$(BIN)/python -m pytest -m services

# The page of `ridgeline report` in a real browser, from the system's packages: clicks, keys, light and dark.
test-report: setup
	command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }
	$(BIN)/python -m pytest -m browser -s

# The picture in docs/report.md.
report-picture: setup
	rm -rf build/report && mkdir -p build/report
	cd build/report && ../../$(BIN)/ridgeline demo --save . && ../../$(BIN)/ridgeline backtest history.parquet --output out/ --quiet
	cd build/report && ../../$(BIN)/ridgeline report out/ --labels labels.csv
	$(BIN)/python .ci/report_picture.py build/report/out/report.html docs/images/report.png

# What takes minutes, and all other properties on five times their usual examples.
test-long: setup
	$(BIN)/python -m pytest -m long --hypothesis-profile=long
	$(BIN)/python -m pytest -m "hypothesis and not long and not services and not browser" --hypothesis-profile=full

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
	$(BIN)/python -m pytest tests/system/test_bench_smoke.py

CORPUS ?= ../shared/data/nab.parquet
LABELS ?= ../shared/data/nab_labels.json

DATA ?= ../shared/data
FLEET ?= 2000
SEEDS ?= 88001

nab: setup
	$(BIN)/python -m ridgeline.bench.nab $(CORPUS) $(LABELS)

# Every rule on the labelled sets of DATA (those that are not there are named) and on a fleet of each seed: minutes.
quality: setup
	$(BIN)/python -m ridgeline.bench.quality $(DATA) --fleet $(FLEET) --seeds $(SEEDS)

clean:
	rm -rf build dist out .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

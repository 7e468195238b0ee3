# Set-up, demo, tests. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test test-long check format bench docs clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(STAMP) ## make .venv and install what constraints.txt pins

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP) ## train, score and classify the sample recordings; leaves demo/
	$(BIN)/python -m biosig_lstm.demo --out demo

test: $(STAMP) ## the test suite (under 12 minutes on two cores)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "not long"

test-long: $(STAMP) ## what takes minutes: the recipes trained on the real records
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m long

check: $(STAMP) ## ruff, format, mypy strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy biosig_lstm

format: $(STAMP) ## put the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## timings beside other packages, as ratios
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	for script in tests/benchmarks/bench_*.py; do echo "## $$script"; OMP_NUM_THREADS=1 $(BIN)/python $$script; done

docs: $(STAMP) ## run every code block of docs/ and README.md
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/test_docs.py

clean:
	rm -rf $(VENV) demo build dist

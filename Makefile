# Two commands on a fresh machine: `make run` and `make test`. Each builds its own environment in .venv first.
# `make run DATA=mnist` learns the digits of MNIST, at the paper's full size.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= results
DATA ?= drawn

.PHONY: run test test-gpu lint bench docs results clean

run: $(VENV)/.run
	$(BIN)/python -m experiments quickstart --digits $(DATA) --out $(OUT)/quickstart-$(DATA)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto

test-gpu: $(VENV)/.dev
	$(BIN)/python -c "import cupy" 2>/dev/null || $(BIN)/python -m pip install -q -e ".[gpu]"
	$(BIN)/python -m pytest -m gpu

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.peers
	$(BIN)/python -m experiments bench step
	$(BIN)/python -m experiments bench parts
	$(BIN)/python -m experiments bench variants
	$(BIN)/python -m experiments bench job
	$(BIN)/python -m experiments bench frozen
	$(BIN)/python -m experiments bench population
	$(BIN)/python -m experiments bench jacobian
	$(BIN)/python -m experiments bench stimuli
	$(BIN)/python -m experiments bench estimator

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -E -W --keep-going -q -b html docs docs/_build/site -d docs/_build/doctrees
	@echo "the book is docs/_build/site/index.html"

results: $(VENV)/.run
	$(BIN)/python -m experiments report docs/results
	$(BIN)/python -m experiments stimuli --out docs/results/stimuli
	$(BIN)/python -m experiments steps
	$(BIN)/python docs/ext/pictures.py

clean:
	rm -rf $(VENV) docs/_build docs/source docs/reference .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e ".[experiments]"
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e ".[dev,docs,experiments,cluster]"
	@touch $@ $(VENV)/.run $(VENV)/.docs

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e ".[docs]"
	@touch $@

$(VENV)/.peers: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e ".[experiments,peers]"
	@touch $@ $(VENV)/.run

# Everything happens in a virtual environment of its own; nothing else on the machine is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint types check coverage format schemas clean

demo: $(READY)  ## the whole story on the emulator, with the real commands
	@$(BIN)/reconciler demo

test: $(READY)  ## all tests
	@$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

coverage: $(READY)  ## branch coverage; fails below the mark that may only rise
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: lint types coverage  ## what .ci/run runs

format: $(READY)
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

schemas: $(READY)  ## write schemas/ anew from the code
	$(BIN)/reconciler schema organization > schemas/organization.schema.json
	$(BIN)/reconciler schema project > schemas/project.schema.json
	$(BIN)/reconciler schema plan > schemas/plan.schema.json

$(READY): pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

# Everything happens in a virtual environment of its own; nothing else on the machine is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WHEEL_VENV := build/wheel
NEWEST := build/newest
# pages that people write; the output of --help and the test reports are generated
PROSE := $(filter-out docs/reference/commands.md, $(wildcard *.md $(addprefix docs/,*.md tutorial/*.md how-to/*.md reference/*.md explanation/*.md)))

.PHONY: bench microbench help demo test newest tools policies lint types coverage check wheel format schemas goldens faults soak convergence clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*##  */\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(READY)  ## the whole story on the emulator, with the real commands
	@$(BIN)/reconciler demo

test: $(READY)  ## all tests
	@$(BIN)/python -m pytest -n auto

newest: $(READY)  ## the core tests with the newest versions that pyproject.toml allows, beside the locked ones
	rm -rf $(NEWEST)
	mkdir -p build
	$(BIN)/python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*project['dependencies'], *project['optional-dependencies']['emulator'], sep='\n')" > $(NEWEST).txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target $(NEWEST) --requirement $(NEWEST).txt
	PYTHONPATH=$(NEWEST) $(BIN)/python -m pip list --path $(NEWEST)
	PYTHONPATH=$(NEWEST) $(BIN)/python -m pytest -q -n auto tests/core tests/manifests tests/plans tests/applier tests/reports

tools:  ## what the tests of other clients and of pages need: Node.js packages and a browser
	.ci/tools

policies: $(VENV)/checkov/.ready  ## checkov, in an environment of its own: it has many dependencies

$(VENV)/checkov/.ready: $(READY) tests/policy_tools/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)/checkov
	$(VENV)/checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/policy_tools/requirements.lock
	@touch $@

lint: $(READY)  ## style, import contracts, spelling and prose
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/proselint check $(PROSE)

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

coverage: $(READY)  ## all tests with branch coverage; fails below the mark that may only rise
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: lint types coverage  ## all that a change has to pass

wheel: $(READY)  ## build the wheel, install it alone in a fresh environment, and run its demo elsewhere
	rm -rf dist $(WHEEL_VENV)
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .
	$(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
	cd / && "$(CURDIR)/$(WHEEL_VENV)/bin/reconciler" demo > "$(CURDIR)/build/demo.txt"
	grep -q "^No changes. Your infrastructure matches the configuration.$$" build/demo.txt

format: $(READY)  ## sort imports and format
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

schemas: $(READY)  ## write schemas/ anew from the code
	$(BIN)/reconciler schema organization > schemas/organization.schema.json
	$(BIN)/reconciler schema project > schemas/project.schema.json
	$(BIN)/reconciler schema plan > schemas/plan.schema.json
	$(BIN)/reconciler schema drift > schemas/drift.schema.json

goldens: $(READY)  ## write golden files and docs anew; read every difference before committing it
	$(BIN)/python -m pytest -q --update-goldens tests/plans tests/reports tests/docs

$(READY): pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

soak: $(READY)  ## thousands of random rounds of trouble, some ten minutes; writes docs/test-reports/soak.md
	@$(BIN)/python -m tests.soak --report docs/test-reports/soak.md

faults: $(READY)  ## write docs/test-reports/faults.md anew: every fault at every operation
	$(BIN)/python -m tests.faults.table

convergence: $(READY)  ## write docs/test-reports/convergence.md anew: every operation, whatever the API does
	$(BIN)/python -m tests.convergence.table

bench: $(READY)  ## speed and cost beside other tools, ten minutes; writes docs/test-reports/performance.md (BENCH=--quick: a minute, writes nothing)
	$(BIN)/python -m benchmarks $(BENCH)

microbench: $(READY) $(VENV)/microbench/.ready  ## load, match, diff and render as multiples of a fixed loop
	PYTHONPATH=$(VENV)/microbench $(BIN)/python -m pytest benchmarks/micro -q --benchmark-disable-gc

$(VENV)/microbench/.ready: $(READY) benchmarks/micro/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --no-deps --require-hashes --target $(VENV)/microbench --requirement benchmarks/micro/requirements.lock
	@touch $@

clean:  ## as after a fresh clone
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*

# All targets use the virtual environment .venv, which the first target creates from requirements-dev.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WHEEL_VENV := build/wheel
NEWEST := build/newest
# pages that people write; the output of --help, the fields of JSON documents and the test reports are generated
PROSE := $(filter-out docs/reference/commands.md docs/reference/json-documents.md, $(wildcard *.md $(addprefix docs/,*.md tutorial/*.md how-to/*.md reference/*.md explanation/*.md)))

.PHONY: bench microbench proofs help demo docs test newest system tools policies providers openbao moto lint types coverage check wheel format schemas goldens faults soak convergence clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##  */\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(READY)  ## run the real commands on the emulator
	@$(BIN)/reconciler demo

test: $(READY)  ## run all tests
	@$(BIN)/python -m pytest -n auto

newest: $(READY)  ## run the core tests with the newest versions that pyproject.toml allows
	rm -rf $(NEWEST)
	mkdir -p build
	$(BIN)/python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*project['dependencies'], *(line for extra in project['optional-dependencies'].values() for line in extra), sep='\n')" > $(NEWEST).txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target $(NEWEST) --requirement $(NEWEST).txt
	PYTHONPATH=$(NEWEST) $(BIN)/python -m pip list --path $(NEWEST)
	PYTHONPATH=$(NEWEST) $(BIN)/python -m pytest -q -n auto tests/core tests/manifests tests/plans tests/applier tests/reports

system: $(READY)  ## run some tests with the system's Python, if it is another patch release
	@.ci/system-python

tools:  ## install what some tests need: Node.js packages, a browser, two shells and age
	.ci/tools

policies: $(VENV)/checkov/.ready  ## install checkov in its own environment

$(VENV)/checkov/.ready: $(READY) tests/policy_tools/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)/checkov
	$(VENV)/checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/policy_tools/requirements.lock
	@touch $@

providers: $(VENV)/providers/.ready  ## install OpenID providers of Python in their own environment

$(VENV)/providers/.ready: $(READY) tests/oidc_provider/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)/providers
	$(VENV)/providers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/oidc_provider/requirements.lock
	@touch $@

openbao: $(VENV)/openbao/.ready  ## install OpenBao, a server for secrets, in an environment of its own

$(VENV)/openbao/.ready: $(READY) tests/openbao/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)/openbao
	$(VENV)/openbao/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/openbao/requirements.lock
	@touch $@

moto: $(VENV)/moto/.ready  ## install moto's server, which answers as AWS does, in an environment of its own

$(VENV)/moto/.ready: $(READY) tests/moto/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)/moto
	$(VENV)/moto/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/moto/requirements.lock
	@touch $@

docs: $(VENV)/docs/.ready  ## build the site in build/docs from the pages; fails on warnings and broken links
	rm -rf build/docs
	$(VENV)/docs/bin/sphinx-build --fail-on-warning --keep-going --quiet -c docs/site docs build/docs

$(VENV)/docs/.ready: $(READY) docs/site/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)/docs
	$(VENV)/docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement docs/site/requirements.lock
	@touch $@

lint: $(READY)  ## check style, import contracts, spelling and prose
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/proselint check $(PROSE)

types: $(READY)  ## check types with mypy
	$(BIN)/mypy

coverage: $(READY)  ## run all tests with branch coverage; fails below the threshold
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: lint types coverage  ## everything that a change has to pass

wheel: SITE := import site; print(*site.getsitepackages())
wheel: $(READY)  ## build sdist and wheel, install each in a new environment, and run the wheel's demo
	rm -rf $(WHEEL_VENV) build/init build/runner
	.ci/build $(BIN)/python
	$(PYTHON) -m venv $(WHEEL_VENV)
	$(BIN)/python -c "$(SITE)" > "$$($(WHEEL_VENV)/bin/python -c "$(SITE)")/locked.pth"
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
	cd / && "$(CURDIR)/$(WHEEL_VENV)/bin/reconciler" demo > "$(CURDIR)/build/demo.txt"
	grep -q "^No changes. Your infrastructure matches the configuration.$$" build/demo.txt
	$(WHEEL_VENV)/bin/reconciler init build/init
	mkdir -p build/runner
	RUNNER_TEMP=build/runner GITHUB_WORKSPACE=build/init PIP_FIND_LINKS="$(CURDIR)/dist" \
		$(PYTHON) -I build/init/.github/actions/reconciler/install.py
	build/runner/reconciler-*/bin/python -I -m reconciler --version

format: $(READY)  ## sort imports and format
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

schemas: $(READY)  ## regenerate schemas/
	for name in organization project approvals plan drift verify apply validate import pin list output secrets-check explain webhook failure; do \
		$(BIN)/reconciler schema $$name > schemas/$$name.schema.json || exit 1; \
	done

goldens: $(READY)  ## regenerate golden files and generated parts of the docs; review the diff
	$(BIN)/python -m pytest -q --update-goldens tests/plans tests/reports tests/docs tests/journeys tests/workflows/test_installation.py

$(READY): pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

proofs: $(READY) $(VENV)/providers/.ready $(VENV)/openbao/.ready $(VENV)/moto/.ready  ## run the full tables and all generated examples, of which the suite has the core; writes docs/test-reports/proofs.md
	LEAVE_NOTHING_OUT=1 ALL_EXAMPLES=1 $(BIN)/python -m pytest -m "proofs or hypothesis" -n auto -p tests.proofs.report --proofs-page docs/test-reports/proofs.md

soak: $(READY)  ## run the soak test, about an hour; writes docs/test-reports/soak.md
	@$(BIN)/python -m tests.soak --report docs/test-reports/soak.md

faults: $(READY)  ## test every fault at every operation; writes docs/test-reports/faults.md
	$(BIN)/python -m tests.failures.table faults

convergence: $(READY)  ## test every change under every API behavior; writes docs/test-reports/convergence.md
	$(BIN)/python -m tests.failures.table convergence

bench: $(READY)  ## run the benchmark, about ten minutes; writes docs/test-reports/performance.md (BENCH=--quick: one minute, writes nothing)
	$(BIN)/python -m benchmarks $(BENCH)

microbench: $(READY) $(VENV)/microbench/.ready  ## time load, match, diff and render against a fixed loop
	PYTHONPATH=$(VENV)/microbench $(BIN)/python -m pytest benchmarks/micro -q --benchmark-disable-gc

$(VENV)/microbench/.ready: $(READY) benchmarks/micro/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --no-deps --require-hashes --target $(VENV)/microbench --requirement benchmarks/micro/requirements.lock
	@touch $@

clean:  ## remove everything that is generated
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*

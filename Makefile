# Stowatt. `make demo` and `make test` set everything up themselves: they need Python 3.11 or later, git and make.
# Variables: ARGS= (arguments of demo, bench and halmos), PYTHON= (the interpreter of the environment), JOBS= (test
# processes), COVERAGE= (forge coverage's own flags; --ir-minimum if the compiler finds the stack too deep).

.NOTPARALLEL:
unexport PYTHONPATH PYTHONHOME
SHELL := /bin/sh
.DEFAULT_GOAL := help
JOBS ?= 2
ARGS ?=
COVERAGE ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links
PRIVATE_HOME := $(CURDIR)/.cache/home
# Forge and its relatives write to HOME; they get one of their own.
FORGE = mkdir -p "$(PRIVATE_HOME)" && forge=$$(sh tools/find-foundry forge) && HOME="$(PRIVATE_HOME)" "$$forge"

# stamps: what was set up to the end
MADE := $(VENV)/.stamp-made
RUNTIME := $(VENV)/.stamp-runtime
EXTRAS := $(VENV)/.stamp-extras
DEV := $(VENV)/.stamp-dev
NPM := node_modules/.stamp
SLITHER := .venvs/slither/.stamp
HALMOS := .venvs/halmos/.stamp
ORACLE := .venvs/oracle/.stamp
BLAST := .venvs/blast/.stamp
PEERS := .venvs/peers/.stamp

.PHONY: help demo test setup extras lint format lock notice contracts forge evidence gas coverage pytest slither halmos oracle blast \
	bench crash soak clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 20

# --- what a newcomer types -------------------------------------------------------------------------------------------

demo: $(RUNTIME)  ## an evening of a real grid, from sealed bid to settlement (ARGS="--date 2016-01-20 …")
	@$(BIN)/stowatt demo $(ARGS)

test: lint forge coverage pytest  ## every check; the summary of pytest comes last

# --- set-up ----------------------------------------------------------------------------------------------------------

setup: $(DEV) $(NPM)  ## the whole tool chain, without running anything

extras: $(EXTRAS)  ## all optional parts (fast, cluster, study, wear, meter) into the environment of `make demo`

$(MADE):
	@python=$$(PYTHON="$(PYTHON)" sh tools/find-python) && echo "creating $(VENV) with $$python" && \
		"$$python" -m venv --clear $(VENV)
	@touch $@

$(RUNTIME): $(MADE) pyproject.toml requirements/build.lock requirements/runtime.lock requirements/data.lock
	@echo "installing Stowatt and what it runs on (a few minutes at most, once)"
	@$(PIP) install --require-hashes --no-deps -r requirements/build.lock -r requirements/runtime.lock
	@$(PIP) install --require-hashes --no-deps -r requirements/data.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(EXTRAS): $(RUNTIME) requirements/extras.lock
	@echo "installing the optional parts"
	@$(PIP) install --require-hashes --no-deps -r requirements/extras.lock
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.lock
	@echo "installing the test tools"
	@$(PIP) install --require-hashes --no-deps -r requirements/dev.lock
	@touch $@

$(NPM): $(DEV) package.json package-lock.json .npmrc
	@echo "installing the Solidity tool chain"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --loglevel=error --no-progress >/dev/null
	@touch $@

# --- checks ----------------------------------------------------------------------------------------------------------

lint: $(DEV)  ## ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: $(DEV) $(NPM)  ## format Python and Solidity
	@$(BIN)/ruff check --fix --exit-zero
	@$(BIN)/ruff format
	@$(FORGE) fmt

forge: $(NPM)  ## the contracts' own tests, fuzzing and invariants, with the gas snapshots checked
	@export FOUNDRY_PROFILE=fast && $(FORGE) test --no-match-path 'contracts/test/gas/*'
	@$(FORGE) test --match-path 'contracts/test/gas/*'

evidence: $(NPM)  ## 10,000 random windows: stream, voucher, private and open settlement pay the same (3 minutes)
	@export FOUNDRY_PROFILE=fast FOUNDRY_FUZZ_RUNS=625 EVIDENCE_WINDOWS=16 && $(FORGE) test \
		--match-path contracts/test/delivery/EvidenceForms.t.sol

gas: $(NPM)  ## write the gas snapshots and docs/gas.md anew; the change is their diff
	@export FORGE_SNAPSHOT_CHECK=false FORGE_SNAPSHOT_EMIT=true && $(FORGE) test --match-path 'contracts/test/gas/*'
	@$(BIN)/python scripts/gas_table.py

coverage: $(NPM)  ## line and branch coverage of contracts/src, with its thresholds
	@mkdir -p build
	@{ export FOUNDRY_PROFILE=fast FORGE_SNAPSHOT_CHECK=false FOUNDRY_FUZZ_RUNS=64 FOUNDRY_INVARIANT_RUNS=8 && \
		$(FORGE) coverage $(COVERAGE) --report lcov --report-file build/lcov.info --no-match-path 'contracts/test/gas/*'; } >build/coverage.log 2>&1 || \
		{ tail -n 60 build/coverage.log; exit 1; }
	@$(BIN)/python scripts/check_coverage.py build/lcov.info

pytest: $(NPM)  ## the Python tests
	@$(BIN)/pytest -q --color=no -n $(JOBS) --dist loadfile

contracts: $(NPM)  ## compile the contracts into src/stowatt/chain/artefacts
	@$(BIN)/python scripts/build_contracts.py

# --- deeper checks, each tool in an environment of its own -------------------------------------------------------------

.venvs/%/.stamp: requirements/%.lock
	@python=$$(PYTHON="$(PYTHON)" sh tools/find-python) && "$$python" -m venv --clear .venvs/$*
	@.venvs/$*/bin/python -m pip --disable-pip-version-check --no-input --quiet \
		install --require-hashes --no-deps -r requirements/$*.lock
	@touch $@

slither: $(NPM) $(SLITHER)  ## static analysis; every finding must be answered in docs/security/slither.md
	@HOME="$(PRIVATE_HOME)" $(BIN)/python scripts/check_slither.py .venvs/slither/bin/slither

halmos: $(NPM) $(HALMOS)  ## symbolic proofs: the check_ functions of the contracts called …Proofs
	@mkdir -p "$(PRIVATE_HOME)" && forge=$$(sh tools/find-foundry forge) && \
		PATH="$$(dirname "$$forge"):$$PATH" HOME="$(PRIVATE_HOME)" VIRTUAL_ENV="$(CURDIR)/.venvs/halmos" FOUNDRY_PROFILE=halmos \
		.venvs/halmos/bin/halmos --forge-build-out build/halmos --match-contract 'Proofs$$' --function check_ $(ARGS)

oracle: $(NPM) $(ORACLE)  ## the embedded ledger against Ethereum's executable specification
	@$(BIN)/pytest -q -s --color=no tests/differential/test_oracle.py

blast: $(DEV) $(BLAST)  ## the wear models' duty cycles through blast-lite, the stored comparison renewed
	@.venvs/blast/bin/python scripts/compare_blast.py run --profiles ../shared/data
	@$(BIN)/python scripts/compare_blast.py table

# --- longer runs -----------------------------------------------------------------------------------------------------

bench: $(NPM) $(PEERS)  ## the benchmarks, docs/benchmarks.md renewed (ARGS="clearing …", ARGS=--quick)
	@$(BIN)/python -m benchmarks $(ARGS)

crash: $(NPM)  ## kill -9 of the embedded ledger, the full number of trials
	@STOWATT_FULL=1 $(BIN)/pytest -q --color=no -m crash

soak: $(NPM)  ## long random runs, of the contracts and of Python, with new seeds
	@seed=$$($(BIN)/python -c 'import secrets; print(secrets.randbits(63))') && echo "seed $$seed" && \
		export FOUNDRY_PROFILE=fast FOUNDRY_FUZZ_RUNS=5000 FOUNDRY_INVARIANT_RUNS=500 && \
		$(FORGE) test --no-match-path 'contracts/test/gas/*' --fuzz-seed "$$seed"
	@STOWATT_FULL=1 $(BIN)/pytest -q --color=no -m soak

# --- housekeeping ----------------------------------------------------------------------------------------------------

lock: $(DEV)  ## renew the lock files (no host names in them)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" && export UV_CUSTOM_COMPILE_COMMAND && \
	$(LOCK) requirements/build.in -o requirements/build.lock && \
	$(LOCK) pyproject.toml --extra plot -o requirements/runtime.lock && \
	$(LOCK) pyproject.toml --all-extras -c requirements/runtime.lock -o requirements/extras.lock && \
	$(LOCK) pyproject.toml --all-extras --group dev -c requirements/extras.lock -o requirements/dev.lock && \
	$(LOCK) --no-deps requirements/data.in -o requirements/data.lock && \
	$(LOCK) requirements/slither.in -o requirements/slither.lock && \
	$(LOCK) requirements/halmos.in -o requirements/halmos.lock && \
	$(LOCK) requirements/oracle.in -o requirements/oracle.lock && \
	$(LOCK) requirements/blast.in -o requirements/blast.lock && \
	$(LOCK) requirements/peers.in -o requirements/peers.lock
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --package-lock-only --loglevel=error --no-progress >/dev/null

notice: $(NPM)  ## write NOTICE anew from the licence files of what is installed
	@$(BIN)/python scripts/build_notice.py

clean:  ## remove everything that make has made
	rm -rf $(VENV) .venvs node_modules build .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

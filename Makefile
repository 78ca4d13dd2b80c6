# Everything a developer or a first-time user calls. `make run` and `make test` are all one needs.

PYTHON ?= python3
BIN := .venv/bin
# The versions of constraints.txt are those the tests passed with.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SAM_VERSION := 1.170.0
AUDIT_VERSION := 2.10.1

export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1

IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# A .venv that cannot serve is made anew, for its stamps would stand for nothing: its Python is gone or has no pip (since
# an upgrade of the system), or is too old, or its scripts call one elsewhere (since the clone was moved).
$(shell [ ! -d .venv ] || \
	(cd ./.venv && grep -F "$$(pwd -P)/bin/" bin/pip && bin/python -c 'import pip; $(IS_NEW_ENOUGH)') >/dev/null 2>&1 || \
	{ echo ".venv cannot serve: its Python is gone, too old, elsewhere or without pip. Making it anew …" >&2; rm -rf .venv; })

.DELETE_ON_ERROR: # or a .venv that broke off would count as made

.PHONY: help install run test chaos fuzz audit lint format bench docs build deploy destroy costs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.run ## make .venv with all that running needs

run: .venv/.run ## start everything on loopback; RUN="--folder DIR --page-port N --s3-port N"
	@exec $(BIN)/python -m infra.local $(RUN)

test: .venv/.test .venv/.sam .venv/.browser lint ## run every check and every test
	$(BIN)/python -m pytest $(TEST)

chaos: .venv/.test ## break the pipeline on purpose, with 500 photographs; CHAOS_SEED=N
	CHAOS_PHOTOGRAPHS=$(or $(CHAOS_PHOTOGRAPHS),500) $(BIN)/python -m pytest tests/chaos --capture=no

fuzz: .venv/.test ## spoil 2,000 files of each format and decode them; FUZZ="--files N --keep DIR"
	$(BIN)/python -m tests.hostile.fuzz $(FUZZ)

audit: .venv/.test .venv/.audit ## list licenses, look up known vulnerabilities (needs the internet)
	$(BIN)/python docs/licenses.py
	@for lock in infra/worker/requirements-cuda.txt $(wildcard functions/*/requirements.txt) web/requirements.txt; do \
		echo "$$lock:"; \
		.venv/audit/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
			--requirement $$lock || failed=1; \
	done; [ -z "$$failed" ]

lint: .venv/.test ## style and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

format: .venv/.test ## put the code into shape
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

bench: .venv/.test .venv/.peer ## measure speed and memory, and write docs/performance.md; BENCH="--quick"
	$(BIN)/python -m benchmarks $(BENCH)

docs: .venv/.test ## draw the docs' pictures and write the pages of the command line and the parameters
	$(BIN)/python -m docs.generate

build: .venv/.sam ## build the Lambda functions from template.yaml
	.venv/sam/bin/sam build

# The region of your own profile, not the one given above for the tests.
OWN_REGION := $(if $(filter file,$(origin AWS_DEFAULT_REGION)),env -u AWS_DEFAULT_REGION)

deploy: .venv/.run .venv/.sam ## put everything on AWS; DEPLOY="--worker cpu --region R --parameter NAME=VALUE"
	@$(OWN_REGION) $(BIN)/python -m infra.deploy up $(DEPLOY)

destroy: .venv/.run ## remove it from AWS; DESTROY="--delete-photographs --region R"
	@$(OWN_REGION) $(BIN)/python -m infra.deploy down $(DESTROY)

costs: .venv/.test ## simulate what the fleet costs; COSTS="check" or "--chip cpu --max-workers 1 4 16"
	@$(BIN)/python -m infra.costs $(COSTS)

clean: ## remove what was built, but not the photographs in bucket/
	rm -rf .venv .aws-sam dist .mypy_cache .pytest_cache .ruff_cache deepcolor/draw/draw.so

.venv/bin/python:
	@$(PYTHON) -c '$(IS_NEW_ENOUGH)' || \
		{ echo "deepcolor needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml constraints.txt hatch_build.py deepcolor/draw/draw.c | .venv/bin/python
	@echo "Installing deepcolor into .venv …"
	$(PIP) --editable '.[local]'
	@touch $@

.venv/.test: .venv/.run
	@echo "Installing what the tests need …"
	$(PIP) --editable '.[test]'
	@touch $@

# SAM's command line pins other versions of what the project uses, so it has a place of its own.
.venv/.sam: | .venv/bin/python
	@echo "Installing the SAM command line into .venv/sam …"
	$(BIN)/python -m venv .venv/sam
	.venv/sam/bin/python -m pip install --quiet --disable-pip-version-check aws-sam-cli==$(SAM_VERSION)
	@touch $@

# It knows no more of deepcolor than the locks.
.venv/.audit: | .venv/bin/python
	@echo "Installing pip-audit into .venv/audit …"
	$(BIN)/python -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==$(AUDIT_VERSION)
	@touch $@

# The reference that speed is measured against brings old names and much else.
.venv/.peer: constraints.txt | .venv/bin/python
	@echo "Installing the reference pipeline into .venv/peer …"
	$(BIN)/python -m venv .venv/peer
	.venv/peer/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		torch rz-colorization==1.0.5 ipython
	@touch $@

# The browser tests skip, and say so, where there is no Chromium and none can be installed.
.venv/.browser: | .venv/bin/python
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || \
	echo "No Chromium here: install it to run the browser tests."
	@touch $@

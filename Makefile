# Everything a developer or a first-time user calls. `make run` and `make test` are all one needs.

PYTHON ?= python3
BIN := .venv/bin
# The versions of constraints.txt are those the tests passed with.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SAM_VERSION := 1.170.0

export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1

.PHONY: help install run test lint format docs build deploy destroy costs clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: .venv/.run ## make .venv with all that running needs

run: .venv/.run ## start everything on loopback; RUN="--folder DIR --page-port N --s3-port N"
	@exec $(BIN)/python -m infra.local $(RUN)

test: .venv/.test .venv/.sam .venv/.browser lint ## run every check and every test
	$(BIN)/pytest $(TEST)

lint: .venv/.test ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.test ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.test ## draw the docs' pictures and write the page of the command line
	$(BIN)/python docs/generate.py

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
	rm -rf .venv .aws-sam dist .mypy_cache .pytest_cache .ruff_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "deepcolor needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml constraints.txt | .venv/bin/python
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
	$(PYTHON) -m venv .venv/sam
	.venv/sam/bin/python -m pip install --quiet --disable-pip-version-check aws-sam-cli==$(SAM_VERSION)
	@touch $@

# The browser tests skip, and say so, where there is no Chromium and none can be installed.
.venv/.browser: | .venv/bin/python
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || \
	echo "No Chromium here: install it to run the browser tests."
	@touch $@

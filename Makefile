# Only wraps: each target is a line that a person could type. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# The environment is made anew when the lock changes, whatever the times of the files are.
STAMP := $(VENV)/.made-from-$(shell cksum < requirements-dev.txt | tr ' ' '-')
# What pulumi, run by a test or a benchmark, finds first.
TOOLS := PATH="$(CURDIR)/.local/bin:$(CURDIR)/$(VENV)/bin:$$PATH"
LOCK := $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --custom-compile-command "make lock" pyproject.toml

# SOURCES=upstream or SOURCES=offline decides where tools, charts and images come from; unset, it stays what it is.
export SOURCES
# KNATIVE=1.23.0 makes `make install` build that release offline, into .local/sources-1.23.0.yaml.
export KNATIVE
# WATCH=1 repeats `make status`.
export WATCH

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up preview down status install test check format e2e e2e-long bench bench-growth ci lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(STAMP) ## Everything that the environment needs, then the environment
	@$(RUN) -m toolchain up

preview: $(STAMP) ## What `make up` would change
	@$(RUN) -m toolchain preview

down: $(STAMP) ## pulumi destroy, and stop the Docker that `make up` started, if it did
	@$(RUN) -m toolchain down

status: $(STAMP) ## Whether Docker answers, and the releases as a tree; WATCH=1: until ctrl-C
	@$(RUN) -m toolchain status

install: $(STAMP) ## Only the tools, into .local/bin; no stack is touched
	@$(RUN) -m toolchain install

test: $(STAMP) ## The tests that need no cluster
	$(RUN) -m pytest tests/unit

check: $(STAMP) ## Lint, format, types, security
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive __main__.py settings components assembly status analysis rollout toolchain offline

format: $(STAMP) ## Format the Python files and mend what the linter can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

e2e: install ## The end-to-end tests, on a cluster of their own beside a dev environment
	$(TOOLS) $(RUN) -m pytest tests/e2e -m "not long" --durations=15

e2e-long: install ## The long forms: transitions, interruptions, faults, secrets; KEEP_FIGURES=1 writes their figures into docs
	$(TOOLS) $(RUN) -m pytest tests/e2e -m long

bench: install ## The program against the tutorial typed by hand
	$(TOOLS) $(RUN) -m tests.bench

bench-growth: install ## What stacks of 4, 25, 50 and 100 services cost, on a cluster of its own
	$(TOOLS) $(RUN) -m tests.bench.growth

ci: ## What CI runs: check, the README's first steps in a fresh clone, e2e
	.ci/run

lock: $(STAMP) ## Renew the locks from pyproject.toml
	$(LOCK) --output-file requirements.txt
	$(LOCK) --group dev --output-file requirements-dev.txt

clean: ## Remove the checkout's virtual environment, tools and tool caches; state and clusters stay
	rm -rf $(VENV) .local/bin .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python %d.%d given, 3.11 or newer wanted: make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "→ Python packages into $(VENV) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

# Each target sets up what it needs and says in one line what is missing when it can't.
.DEFAULT_GOAL := help
.PHONY: help demo test faults check bench lock clean setup-run setup-dev browser services
PY := .venv/bin/python

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: setup-run browser ## Watch Touchstone find, prove and buy fakes on a synthetic marketplace
	@$(PY) -m bazaar demo

test: setup-dev browser services ## Run the tests
	@. .make/services.env; $(PY) -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

PURCHASES ?= 1000
faults: setup-dev browser services ## Buy under kills, cuts and errors: PURCHASES=1000
	@. .make/services.env; TOUCHSTONE_TEST_PURCHASES=$(PURCHASES) $(PY) -m pytest -q -s tests/purchases/test_faults.py

check: setup-dev ## Lint, types, import directions
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/lint-imports --no-logo
	@echo "check: passed"

bench: setup-dev browser ## Measure, side by side, and print the table for docs/benchmarks.md
	@$(PY) -m benchmarks

lock: setup-dev ## Resolve the dependencies anew
	@.make/lock.sh

clean: ## Take away everything that the other targets made
	@rm -rf .venv .demo .make/services.env .services build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup-run:
	@.make/setup.sh requirements.lock

setup-dev:
	@.make/setup.sh requirements-dev.lock

browser:
	@.make/browser.sh

services:
	@.make/services.sh

# Everything happens inside the project: .venv, .local and .aws-sam. See `make help`.

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status test accept lint bench docs lock format sbom audit clean

BIN := .venv/bin
# Rules of cfn-lint-serverless that do not fit: WS1004 knows no LoggingConfig (a template test checks retention), ES1007 no
# dead-letter queue of a function (one checks that there is that or a destination), ES6000 wants a dead-letter queue behind
# dead-letter queues too, ES7000 one behind an e-mail subscription.
CFN_LINT := --append-rules cfn_lint_serverless.rules --ignore-checks WS1004 ES1007 ES6000 ES7000
# More for pytest, for example: make test PYTEST="tests/unit -k token"
PYTEST ?=
# Images of containers like to forbid byte code; then each program that is started compiles all that it imports, again.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install everything that the project needs, inside the project (the others do it too)
	@scripts/setup

demo: setup ## Start everything, replicate a real file, show a failure with its notification
	@$(BIN)/python scripts/demo.py

up: setup ## Start the embedded AWS with the application, or deploy what changed (WAYBILL_PORT, default 4566)
	@$(BIN)/waybill up

down: ## Stop the embedded AWS and everything in it
	@if [ -x $(BIN)/waybill ]; then $(BIN)/waybill down; fi

status: setup ## Show what is deployed and whether it is healthy
	@$(BIN)/waybill status

test: setup ## Run the tests; PYTEST=--long those too that take long
	@$(BIN)/python -m pytest -n 5 $(PYTEST)

accept: setup ## Run the workflow tests against a deployed stack, WAYBILL_STACK=name WAYBILL_PROFILE=profile; without, locally
	@$(if $(WAYBILL_STACK),,scripts/acceptance --local)
	@$(BIN)/python -m pytest tests/workflow --ignore=tests/workflow/local \
		$(if $(WAYBILL_STACK),--stack "$(WAYBILL_STACK)",--local) \
		$(if $(WAYBILL_PROFILE),--profile "$(WAYBILL_PROFILE)") $(PYTEST)

lint: setup ## Check style, types, imports, template, and that generated files are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/cfn-lint $(CFN_LINT) -- template.yaml
	scripts/security
	scripts/export-layers --check
	scripts/parameters --check
	scripts/permissions --check
	scripts/openapi --check
	scripts/lists --check

bench: setup ## Print the measurements and write them to .local/bench.json
	@$(BIN)/python -m benchmarks

docs: setup ## Build the documentation site in .local/site/html; a link that leads nowhere ends it
	@scripts/setup --tool docs
	@$(BIN)/python -m scripts.site
	@NO_MKDOCS_2_WARNING=1 .local/docs/bin/python -m mkdocs --quiet build --config-file docs/mkdocs.yml

lock: ## Lock what pyproject.toml and tools/*/requirements.in ask for, and export the layers
	@scripts/lock

format: setup ## Format the code and sort its imports
	$(BIN)/ruff check --fix --unsafe-fixes --select I,UP,RUF100 .
	$(BIN)/ruff format .

sbom: setup ## Write what layers and tools are made of to .local/sbom (CycloneDX)
	@scripts/sbom

audit: setup ## Look for known vulnerabilities of what is pinned: make audit ADVISORIES=all.zip (of osv.dev, for PyPI)
	@$(BIN)/python -m scripts.audit $(ADVISORIES)

clean: down ## Remove everything that was installed, built or stored
	rm -rf .venv .local .aws-sam .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

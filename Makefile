# Every target is a short name for a call of bootstrap.py, which makes .venv when it is needed.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help demo serve test check bench soak setup

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name words; do \
		printf '  make %-6s %s\n' "$$name" "$$words"; done

demo: ## run the whole loop once (DATA=FILE for your own sales, ARGS="..." for options of scm demo)
	@$(PYTHON) bootstrap.py demo $(if $(DATA),--data "$(DATA)") $(ARGS)

serve: ## show the proposals in a browser on this machine
	@$(PYTHON) bootstrap.py run scm serve $(ARGS)

test: ## run the tests (ARGS="-k words" for some of them)
	@$(PYTHON) bootstrap.py test $(ARGS)

check: ## check style, types and which room imports which
	@$(PYTHON) bootstrap.py check

bench: ## measure and compare with the frozen baselines
	@$(PYTHON) bootstrap.py bench $(ARGS)

soak: ## run the long tests, those marked soak, with many more examples each
	@SCM_SOAK=1 $(PYTHON) bootstrap.py test -m soak $(ARGS)

setup: ## make .venv and install everything, the tools for tests included
	@$(PYTHON) bootstrap.py setup

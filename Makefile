# `make run` starts Loupe and `make test` tests it; both build .venv by themselves.
# Another Python: make run PYTHON=python3.13
# Tests on more cores: make test WORKERS=4

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock
INSTALLED := $(VENV)/.installed
DEVELOPS := $(VENV)/.develops

.PHONY: help run install test lint check format docs bench lock packages linters

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: $(INSTALLED) ## start Loupe and print the address of its page
	@exec $(BIN)/loupe serve

install: $(INSTALLED) ## build .venv with Loupe in it

test: $(DEVELOPS) packages ## run all tests, side by side, with the coverage of branches
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --durations=10 --cov --cov-report=

lint: $(DEVELOPS) linters ## check format, style, types, import rules and Lua
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@! command -v luacheck >/dev/null || luacheck --quiet --no-color adapters

check: lint test ## check everything

format: $(DEVELOPS) ## format the code and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(DEVELOPS) ## write the tables of the documentation anew from the code
	$(BIN)/python -m tests.helpers.generated_docs

bench: $(DEVELOPS) packages ## measure
	$(BIN)/python -m benchmarks

lock: $(DEVELOPS) ## renew requirements.lock with the newest versions that fit
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
		--no-emit-index-url --custom-compile-command "make lock" \
		--output-file requirements.lock pyproject.toml

$(INSTALLED): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Loupe needs Python 3.11 or newer and found %d.%d: name a newer one, as in make run PYTHON=python3.13" % sys.version_info[:2])'
	@echo "Installing Loupe into $(VENV) (once, about a minute)…" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -e .
	@touch $@

$(DEVELOPS): $(INSTALLED)
	@echo "Installing the tools for development…" >&2
	@$(PIP) -e '.[dev]'
	@touch $@

# Install commands of Debian packages that are missing, or tell what is skipped without them. A
# package of another name than its command stands behind a colon.
define install_missing
@missing=; for name in $(1); do \
	command -v $${name%%:*} >/dev/null || missing="$$missing $${name##*:}"; \
done; \
test -z "$$missing" && exit 0; \
if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	echo "Installing$$missing…" >&2; export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && apt-get install -qq -y --no-install-recommends $$missing >/dev/null && exit 0; \
fi; \
echo "Missing:$$missing ($(2)); install with: sudo apt-get install$$missing" >&2
endef

packages:
	$(call install_missing,redis-server chromium,their tests are skipped)

linters:
	$(call install_missing,luacheck:lua-check,the Lua scripts are not checked)

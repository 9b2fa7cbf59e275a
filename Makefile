# Every target works on a fresh machine: it makes .venv and installs what it needs first.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Servers are started by the hundred in tests: each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench torture format lock browser

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/.dev ## make .venv with the locked requirements, test tools included

run: $(VENV)/.runtime ## the demo: server, amoCRM sandbox and a client's phone; Ctrl-C stops all of it
	@exec $(BIN)/chatbridge demo

# Half of what tests do is wait for processes they started: three at once keep two cores busy.
test: $(VENV)/.dev browser ## every test, PostgreSQL and browser tests included
	$(BIN)/pytest -n 3

check: $(VENV)/.dev ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## measure this checkout beside what people use today, about 40 minutes; writes bench/RESULTS.md. QUICK=1: does it run?
	$(BIN)/python -m bench.run $(if $(QUICK),--quick)

torture: $(VENV)/.dev ## faults nobody announced, and a check that nothing is lost; about ten minutes
	$(BIN)/python -m tests.torture

format: $(VENV)/.dev ## let ruff rewrite what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.python ## resolve requirements.lock again: hashes, no addresses
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --upgrade --all-extras --group dev pyproject.toml -o requirements.lock

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
		|| command -v google-chrome >/dev/null || [ -n "$$CHATBRIDGE_TEST_CHROMIUM" ] \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
			&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } \
		|| { echo "The browser tests need Chromium: install Debian's package 'chromium', or name a browser in CHATBRIDGE_TEST_CHROMIUM." >&2; exit 1; }

$(VENV)/.python:
	@[ -n "$(PYTHON)" ] || { echo "chatbridge needs Python 3.11 or newer; none was found on PATH." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment here; on Debian: apt-get install python3-venv." >&2; exit 1; }
	@$(BIN)/pip install --quiet uv
	@touch $@

# The lock file names every package of the project and of its tests with their hashes. The runtime takes
# only its share of it (as constraints), so that `make run` does not download test tools.
$(VENV)/.runtime: $(VENV)/.python requirements.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -c requirements.lock --all-extras -r pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@touch $@

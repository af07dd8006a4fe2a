# Everything a newcomer needs: `make demo` to look at it, `make test` to check it.
# The machine's own pip settings (PIP_*, pip.conf) are honoured; nothing is installed outside .venv
# except, where Debian lacks them, the packages python3-venv and chromium.

PORT ?= 8000
HOST ?= 127.0.0.1
VENV ?= .venv
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

BIN := $(VENV)/bin
RUN := $(BIN)/python manage.py
# Root installs by itself, others by sudo where that asks no question.
APT = $$( [ "$$(id -u)" = 0 ] || echo sudo -n ) env DEBIAN_FRONTEND=noninteractive apt-get -qq

.DEFAULT_GOAL := help
.PHONY: help demo up install install-tests browser test test-slow lint types lock screenshots clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: install  ## everything on this machine, with sample pictures: http://127.0.0.1:8000/ (PORT=...)
	$(RUN) up --demo --host $(HOST) --port $(PORT)

up: install  ## the same without the sample
	$(RUN) up --host $(HOST) --port $(PORT)

install: $(VENV)/.installed

install-tests: $(VENV)/.installed-tests

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Sightline needs Python 3.11 or newer. Install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(APT) install -y python3-venv >/dev/null 2>&1 \
		|| { $(APT) update && $(APT) install -y python3-venv >/dev/null; } \
		|| { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-tests: tests/requirements.txt $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| $(APT) install -y --no-install-recommends chromium >/dev/null 2>&1 \
		|| { $(APT) update && $(APT) install -y --no-install-recommends chromium >/dev/null; } \
		|| { echo "The browser tests need Chromium. On Debian: apt-get install chromium"; exit 1; }

test: lint types browser  ## lint, types and tests on real parts
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-slow: install-tests browser  ## faults and scale
	$(BIN)/python -m pytest -m slow $(ARGS)

lint: install-tests  ## ruff, rules and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-tests  ## mypy, strict
	$(BIN)/mypy .

lock:  ## requirements.in into requirements.txt, with hashes; the same for the tests
	@tool=$$(mktemp -d) && trap 'rm -rf "$$tool"' EXIT && $(PYTHON) -m venv "$$tool" \
		&& "$$tool/bin/pip" install --quiet --disable-pip-version-check uv \
		&& for folder in . tests; do "$$tool/bin/uv" pip compile --quiet --upgrade --generate-hashes \
			--python-version 3.11 --custom-compile-command "make lock" \
			"$$folder/requirements.in" -o "$$folder/requirements.txt" || exit 1; done

screenshots: install-tests browser  ## the pictures of the README
	$(BIN)/python -m tests.browser.screenshots docs/screenshots

clean:  ## caches and the environment; never var/, which holds the archive
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The commands people and CI run. `make start` opens the desk; `make test` runs every test.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
export TERTULIA_HOME ?= $(CURDIR)/data
# What is imported is compiled once, as the packages are installed below without it; else each process does so anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: start install install-dev test test-channels test-gaps prove prove-night prove-publishing soak screenshots check format lint types imports texts lock wheel sbom audit bench model understanding-report messages clean

start: install
	@$(BIN)/tertulia start

install: $(VENV)/.runtime
install-dev: $(VENV)/.dev

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Tertulia needs Python 3.11 or newer; $(PYTHON) is older. Try: make start PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is missing. Install it and run make again: sudo apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.runtime: requirements.txt pyproject.toml | $(VENV)/.venv
	@echo "Installing the packages Tertulia stands on…"
	@# --no-compile: Python compiles what is used when it is used, which is a small part; the first page comes sooner.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-compile -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements-dev.txt
	@touch $@

test: install-dev
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

# Every connector against a real server of its kind, started here where that can be; one line for each operation.
test-channels: install-dev
	@TERTULIA_LAB=1 $(BIN)/python -m pytest -rs tests/lab $(ARGS)

# 20,000 messages of every network over a bad line, each shown once. Takes its time.
test-gaps: install-dev
	@TERTULIA_LAB=1 $(BIN)/python -m pytest tests/connectors tests/flows -k shown_once $(ARGS)

# Every promise tried on SQLite and PostgreSQL; writes docs/guarantees.md and what the product shows. Needs Linux, strace,
# PostgreSQL's and Redis's programs; what isn't there is told. One proof alone: ARGS="--only power_cuts".
prove: install-dev
	@cd tests && ../$(BIN)/python -m proofs $(ARGS)

# The same with many more of everything: up to three hours.
prove-night: install-dev
	@cd tests && ../$(BIN)/python -m proofs --night $(ARGS)

# Kills and breaks publishing at 500 system calls; needs Linux and strace. Add ARGS="--points 50" for a shorter one.
prove-publishing: install-dev
	@$(BIN)/python tests/proofs/prove_publishing.py $(ARGS)

# A day in half an hour on both databases: 50 channels, 20,000 messages, 2,000 posts, a worker killed every 30 seconds,
# the memory of what lives on. Shorter, and with so much less of all: ARGS="--much 10" (minutes).
soak: install-dev
	@cd tests && ../$(BIN)/python -m proofs --only soak --much 30 $(ARGS)

# The pictures of README.md, from two desks with the sample company. Needs Chromium and ImageMagick.
screenshots: install-dev
	@cd tests && ../$(BIN)/python -m browser.take_screenshots

check: install-dev format-check lint types imports texts test

format: install-dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

format-check: install-dev
	@$(BIN)/ruff format --check .

lint: install-dev
	@$(BIN)/ruff check .

types: install-dev
	@$(BIN)/mypy

imports: install-dev
	@$(BIN)/lint-imports

# Collects the texts of the whole package into the Spanish catalogue and compiles it; needs GNU gettext.
messages: install-dev
	@cd src/tertulia && ../../$(BIN)/python -m tertulia manage makemessages --locale es --no-location --extension html,py,txt,jinja
	@$(BIN)/python -m tertulia manage compilemessages --locale es

texts: install-dev
	@$(BIN)/python -m pytest tests/test_texts.py

bench: install-dev
	@$(BIN)/python -m benchmarks $(ARGS)

# Trains what understands messages; the same corpus gives the same bytes.
model: install-dev
	@$(BIN)/python -m training.train

# Judges it, and writes docs/understanding.md and the figures beside it.
understanding-report: install-dev
	@$(BIN)/python -m training.report

wheel: sbom
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# What a release is made of (CycloneDX), beside the wheel; stops at a licence that doesn't go together with the AGPL.
sbom: install
	@$(BIN)/python -m supply.sbom dist/tertulia.cdx.json

# Asks the package index for known advisories of what is pinned; pip-audit lives in an environment of its own.
audit: $(VENV)-audit/.ready
	@$(VENV)-audit/bin/python -m supply.audit $(ARGS)

$(VENV)-audit/.ready: requirements-audit.txt
	@$(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

# Pins every package with hashes; no index address is written. Needs uv (pip install uv).
lock:
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate pyproject.toml requirements.in -o requirements.txt
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --extra dev pyproject.toml requirements.in -o requirements-dev.txt
	@echo pip-audit | uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate - -o requirements-audit.txt

clean:
	rm -rf $(VENV) $(VENV)-audit dist build

# make run    everything, at http://localhost:8283 (PORT and MNEMOSCOPE_HOME are honoured)
# make test   the tests            make check   format, lint, types, floors, templates, migrations
# make bench  the benchmarks       make format  rewrites the sources as `check` wants them
# make words TO=de    the texts of the IDE for a translator, in locale/de; compiled, as far as they are translated

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

.PHONY: run test check bench format words
.NOTPARALLEL:

run: $(VENV)/installed
	@exec $(BIN)/python manage.py serve

test: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -n auto

# A home of its own: reading the settings makes the keys there.
check: export MNEMOSCOPE_HOME := $(CURDIR)/$(VENV)/check
check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djhtml --tabwidth 2 --check templates
	$(BIN)/python -m pytest -q tests/architecture/test_migrations.py

bench: $(VENV)/installed-dev
	@$(BIN)/python -m benchmarks

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djhtml --tabwidth 2 templates

# A home of its own, as for `check`.
words: export MNEMOSCOPE_HOME := $(CURDIR)/$(VENV)/check
words: $(VENV)/installed
	@test -n "$(TO)" || { echo "Name the language: make words TO=de" >&2; exit 1; }
	@command -v xgettext >/dev/null || { echo "Texts are collected by gettext. On Debian or Ubuntu: apt-get install gettext" >&2; exit 1; }
	@mkdir -p locale
	$(BIN)/python manage.py makemessages --locale $(TO) --no-wrap --no-location --ignore .venv --ignore tests --ignore benchmarks
	$(BIN)/python manage.py compilemessages --locale $(TO) --ignore .venv

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Mnemoscope needs Python 3.11 or newer; this machine has $$(python3 --version 2>&1 || echo none). Install one, or name it: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)."
ifdef UV
	@uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV)
else
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python cannot make a virtual environment here. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
endif

# The dependencies alone: the project runs from its checkout, so nothing has to be built.
LISTED = $(BIN)/python -c 'import sys, tomllib; found = tomllib.load(open("pyproject.toml", "rb")); \
	print(*found[sys.argv[1]][sys.argv[2]], sep="\n")'
INSTALL = $(if $(UV),uv pip install --python $(BIN)/python,$(BIN)/python -m pip install --disable-pip-version-check)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing what Mnemoscope needs (about 500 MB, once)."
	@$(LISTED) project dependencies > $(VENV)/requirements.txt
	@$(INSTALL) --constraint constraints.txt --requirement $(VENV)/requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@$(LISTED) dependency-groups dev > $(VENV)/requirements-dev.txt
	@$(INSTALL) --constraint constraints.txt --requirement $(VENV)/requirements-dev.txt
	@touch $@

# Needs Python 3.11 or newer and make. Everything is installed in .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL := $(PIP) install --constraint constraints.txt --no-build-isolation
PYTEST ?= $(BIN)/pytest
EVERY_CORE := --numprocesses logical --dist worksteal
RIPIENO_DATA ?= ../shared/data

DEMO := contracts registry core toolkit plugins/media plugins/librosa plugins/spectrum .
ALL := $(DEMO) plugins/beat-decoders plugins/beatnet plugins/rhythm \
    plugins/instruments plugins/performance plugins/faust plugins/sfizz plugins/augment \
    plugins/mastering plugins/speech-mask plugins/speech-data plugins/speech-metrics plugins/speech-benchmark \
    plugins/gallery plugins/demucs plugins/mdx-net plugins/dns \
    plugins/film plugins/film-effects plugins/gan plugins/album
MANIFESTS := constraints.txt $(ALL:%=%/pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help demo install test slow coverage quality lint format types layers docs bench tox clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.created: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt pip hatchling editables
	@touch $@

$(VENV)/.demo: $(VENV)/.created $(MANIFESTS)
	$(INSTALL) $(DEMO:%=--editable %)
	@touch $@

# pesq comes as source and is built with tools that it names itself, in a room of its own.
$(VENV)/.installed: $(VENV)/.created $(MANIFESTS)
	$(PIP) install --constraint constraints.txt pesq
	$(INSTALL) --group dev $(ALL:%=--editable %) --editable .[all]
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo ## Turn the example song into stems, beats, sections and a film
	@report=$$($(BIN)/core run examples/first-film/pipeline.yaml) && \
	printf 'Film:   %s\nReport: %s\n' "$${report%/*}/films/song.mp4" "$$report"

install: $(VENV)/.installed ## Install every distribution, editable, and the tools

test: install ## Run the fast tests
	$(PYTEST) $(EVERY_CORE) -m "not slow"

slow: install ## Run the slow tests
	$(PYTEST) $(EVERY_CORE) -m slow

coverage: install ## Run all tests and measure the coverage of contracts, registry and core
	$(BIN)/coverage erase
	$(MAKE) test slow PYTEST="$(BIN)/coverage run -m pytest"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

quality: install ## Compare how speech is freed from music with the baseline; WRITE=--write makes it anew
	@test -d $(RIPIENO_DATA)/speech || { echo "Skipped: RIPIENO_DATA names no folder of recordings."; exit; }; \
	$(BIN)/core speech-benchmark check examples/speech-benchmark/subset.yaml --data $(RIPIENO_DATA) \
	    --baseline examples/speech-benchmark/baseline.csv $(WRITE) $(if $(WHISPER),--whisper $(WHISPER)) \
	    --pipeline embedded=examples/speech-only/pipeline.yaml \
	    --pipeline mask=examples/speech-benchmark/mask.yaml \
	    --pipeline streaming=examples/speech-benchmark/mask-streaming.yaml

lint: install ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install ## Check the types of contracts, registry, core and toolkit
	$(BIN)/mypy

layers: install ## Check that imports run one way
	$(BIN)/lint-imports --no-logo

docs: install ## Build the site in docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

bench: install ## Measure the speed and memory of what matters
	$(BIN)/python -m benchmarks

tox: install ## Test each distribution alone, then all together
	$(BIN)/tox

clean: ## Remove the environments and everything generated, except runs/
	rm -rf $(VENV) .tox .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf docs/_build build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

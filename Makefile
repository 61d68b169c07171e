# Everything by one word each; `make help` lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book serve slides pdf bundle test test-colab lint chapters exercises lock stamp clean
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
PORT ?= 8000
FOLDER ?= html
PLATFORM ?= linux
PYTHONS ?= 3.11 3.12 3.13
JOBS ?= 2
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt

# Small models run fastest on one thread, and the chapters' numbers are made and tested with one.
export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv .venv

# What the website needs: no torch, its pages are built from the chapters' stored outputs.
.venv/.site: requirements-site.txt constraints.txt | $(BIN)/python
	$(INSTALL) -r requirements-site.txt
	@touch $@

# Everything: the site's packages, the library's, the tests', and the library itself.
.venv/.full: requirements.txt pyproject.toml .venv/.site
	$(INSTALL) -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

# Built from nothing each time: a second run over old pages would not repeat the first one's warnings.
book: .venv/.site ## build the website and print its address
	@rm -rf _build/html _build/.doctrees
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@echo "The book is at file://$(CURDIR)/_build/html/index.html; its live figures want \`make serve\`"

_build/html/index.html:
	@$(MAKE) book

serve: _build/html/index.html ## serve the built website on this machine (PORT=8000; FOLDER=slides for the slides)
	@echo "http://127.0.0.1:$(PORT)/  (Ctrl-C ends it)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/$(FOLDER) $(PORT)

slides: .venv/.full ## build the slides of the half-day and the full-day workshop
	@PYTHONPATH=book/_ext $(BIN)/python tools/slides.py
	@echo "Their live figures want \`make serve FOLDER=slides\`"

pdf: _build/html/index.html .venv/.full ## print the built website as one PDF and link it from there (wants a browser)
	@$(BIN)/python tools/pdf.py

# The website goes along as it is built, with PDF and slides where they are built.
bundle: _build/html/index.html .venv/.full ## a folder for a room without internet (PLATFORM="windows macos linux")
	@$(BIN)/python tools/bundle.py $(PLATFORM) --python $(PYTHONS)

lint: .venv/.full ## check style and formatting of code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: .venv/.full lint book ## install everything, then lint, site, unit tests and every chapter (JOBS=2)
	@ls chapters/*.ipynb > /dev/null || { echo "no notebooks in chapters/: nothing would be tested" >&2; exit 1; }
	$(BIN)/python -m pytest tests chapters --nbval --nbval-current-env --nbval-cell-timeout=300 -n $(JOBS) --dist loadfile

test-colab: .venv/.full ## run every chapter as Colab would, from what is committed (CHAPTER=12 for one)
	$(BIN)/python tools/colab.py $(CHAPTER)

chapters: .venv/.full ## run the notebooks in place and store their outputs (CHAPTER=12 for one)
	$(BIN)/python tools/chapters.py $(CHAPTER)

exercises: .venv/.full ## check that each stub fails its checker and each solution passes (CHAPTER=12 for one)
	PYTHONPATH=book/_ext $(BIN)/python tools/exercises.py $(CHAPTER)

lock: ## freeze all versions, transitive ones too, into constraints.txt
	rm -rf _build/lock && $(PYTHON) -m venv _build/lock
	_build/lock/bin/python -m pip install --quiet -r requirements.txt
	_build/lock/bin/python tools/lock.py > _build/constraints.txt
	mv _build/constraints.txt constraints.txt && rm -rf _build/lock

stamp: .venv/.site ## write the public address everywhere (REPOSITORY=https://github.com/owner/name)
	$(BIN)/python tools/stamp.py "$(REPOSITORY)"

clean: ## remove what was built (the .venv stays)
	rm -rf _build build dist

# The two commands of the README, and what a contributor needs beside them. Works with GNU make 3.81 (macOS) and later.

# The first of these that runs, is new enough, and can make a virtual environment is taken. It is tried, not merely looked up:
# pyenv leaves names behind that do not run, and Debian has a Python without venv. `make lab PYTHON=/path/to/python` names one.
PYTHON ?= python3.13 python3.12 python3.11 python3
FIRST_USABLE = $(shell for python in $(PYTHON); do \
  $$python -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)

# Optional parts of the package besides `test`: `make lab EXTRAS=compiler` brings a C compiler from PyPI.
EXTRAS ?=
RUN := .venv/bin/python -m
READY := .venv/.ready$(EXTRAS:%=-%)

.PHONY: help lab lecture book book-pdf test test-all ready lint format mutants sanitize fuzz notebooks record topic clean compiler

help: ## Show this list (default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# What glibc does with memory that a kernel frees: spe_lab/ui/heap.py says why.
lab lecture: export MALLOC_ARENA_MAX := 1
lab lecture: export MALLOC_MMAP_THRESHOLD_ := 262144
lab: export JUPYTER_CONFIG_DIR := $(CURDIR)/.jupyter
lab: export JUPYTERLAB_SETTINGS_DIR := $(CURDIR)/.jupyter/lab/user-settings
lab: export JUPYTERLAB_WORKSPACES_DIR := $(CURDIR)/.jupyter/lab/workspaces
lab: NOTEBOOK ?= notebooks/index.ipynb
lab: $(READY) compiler ## Open JupyterLab on the start page (NOTEBOOK=... another one, SPE_LAB_ARGS="..." arguments for jupyter lab)
	@# doctor builds the kernels, so that the first slider need not wait for them; what it finds missing is no reason not to start.
	@.venv/bin/spe-lab doctor || true
	@exec $(RUN) jupyterlab --LabApp.default_url=/lab/tree/$(NOTEBOOK) $(SPE_LAB_ARGS)

# Copies with their slides marked, in a Lab whose settings begin anew each time: leaving the slides would be remembered.
LECTURE := $(CURDIR)/.jupyter/lab/lecture
lecture: export JUPYTER_CONFIG_DIR := $(CURDIR)/.jupyter/lecture
lecture: export JUPYTERLAB_SETTINGS_DIR := $(LECTURE)/user-settings
lecture: export JUPYTERLAB_WORKSPACES_DIR := $(LECTURE)/workspaces
lecture: NOTEBOOK ?= notebooks/03b_memory.ipynb
lecture: .venv/.ready-lecture compiler ## Present a chapter as live slides in large type (NOTEBOOK=... another chapter, SHORT=1 its path of 45 minutes)
	@rm -rf "$(LECTURE)" && $(RUN) spe_lab.ui.slides $(if $(SHORT),--short) $(NOTEBOOK) dist/lecture
	@.venv/bin/spe-lab doctor || true
	@exec $(RUN) jupyterlab --LabApp.default_url=/lab/tree/dist/lecture/$(notdir $(NOTEBOOK)) $(SPE_LAB_ARGS)

# Neither the user's Jupyter settings nor a machine profile measured earlier may change a test or a stored output.
PRIVATE := $(CURDIR)/.venv/private
test test-all notebooks book book-pdf: export JUPYTER_CONFIG_DIR := $(PRIVATE)/jupyter-config
test test-all notebooks book book-pdf: export JUPYTER_DATA_DIR := $(PRIVATE)/jupyter-data
test test-all notebooks book book-pdf: export JUPYTER_RUNTIME_DIR := $(PRIVATE)/jupyter-runtime
test test-all notebooks book book-pdf: export JUPYTER_PATH :=
test test-all notebooks book book-pdf: export IPYTHONDIR := $(PRIVATE)/ipython
test test-all notebooks book book-pdf: export SPE_LAB_CACHE_DIR := $(PRIVATE)/cache
test test-all notebooks book book-pdf: export SPE_LAB_CONFIG_DIR := $(PRIVATE)/config
test test-all notebooks sanitize fuzz: export SPE_LAB_QUICK := 1
# Nobody commits predictions there: labs measure without waiting for one.
test test-all notebooks book: export SPE_LAB_PREDICTIONS := skip
# Hundreds of processes import the package and read the tests: none of them compiles anew what another one has compiled.
test test-all: export PYTHONDONTWRITEBYTECODE :=
sanitize fuzz: export SPE_LAB_LONG := 1

# Of 100 lines of core, models and topics, how many both tiers together must reach. None here: without a browser or a
# compiler tests skip. CI asks for 95.
COVERAGE ?= 0

# Two lanes for two processors (tests/harness/lanes.py says what runs beside what). A notebook's cell has 120 s.
PYTEST = $(RUN) pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=120 --nbval-sanitize-with tests/sanitize.cfg \
  -p no:cacheprovider --numprocesses 2 --dist loadgroup --no-loadscope-reorder --durations=20
ALL_TESTS = spe_lab tests notebooks
# The contract, notebook and pages of a topic are among tests for all topics.
TOPIC ?=
ITS_TESTS = spe_lab/topics/$(TOPIC) tests/topics/$(TOPIC) $(wildcard notebooks/*_$(TOPIC).ipynb) tests/notebooks \
  tests/core/test_lab_contract.py tests/core/test_exercise_contract.py tests/sanitizers/test_sanitized.py tests/browser/test_notebooks.py tests/browser/test_book.py

test: ready ## Run the tests that decide quickly, the notebooks' cells included (TOPIC=... all tests of one topic)
	@rm -rf "$(PRIVATE)" && mkdir -p "$(PRIVATE)"
ifeq ($(TOPIC),)
	@$(PYTEST) $(COUNTED) -m "not slow" $(ALL_TESTS)
else
	@test -d "spe_lab/topics/$(TOPIC)" || { echo "TOPIC must be one of: $(notdir $(patsubst %/,%,$(wildcard spe_lab/topics/*/))), got $(TOPIC)" >&2; exit 2; }
	@$(PYTEST) --topic=$(TOPIC) $(ITS_TESTS)
endif

# The second tier runs whether the first has failed or not. The last line counts the tests of both, and the lines that
# both reach are counted together.
test-all: COUNTED = --tally "$(PRIVATE)/tally.json" --cov=spe_lab.core --cov=spe_lab.models --cov=spe_lab.topics
test-all: ready ## Run all tests: make test, then those that take long
	@$(MAKE) --no-print-directory test TOPIC= COUNTED='$(COUNTED) --cov-report='; first=$$?; \
	  $(PYTEST) $(COUNTED) --cov-append --cov-report=term:skip-covered --cov-fail-under=$(COVERAGE) -m slow $(ALL_TESTS) && exit $$first

lint: $(READY) ## Check the sources: Python with ruff and mypy, C with clang-format
	@$(RUN) ruff check .
	@$(RUN) ruff format --check --quiet .
	@$(RUN) mypy --cache-dir .venv/mypy
	@.venv/bin/clang-format --dry-run -Werror kernels_c/*.[ch] kernels_c/programs/*.c

format: $(READY) ## Format the Python and C sources
	@$(RUN) ruff format --quiet .
	@.venv/bin/clang-format -i kernels_c/*.[ch] kernels_c/programs/*.c

mutants: $(READY) compiler ## Put deliberate faults into kernels and models, one at a time, and tell which the tests notice (ten minutes)
	@.venv/bin/python tests/mutants.py

sanitize: $(READY) compiler ## Run all kernels under sanitizers, by gcc and clang at -O0 to -O3 (an hour)
	@$(RUN) pytest -p no:cacheprovider tests/sanitizers

# What is found stays in .hypothesis/ and .venv/fuzz/: the next run begins where this one ended.
FUZZ_SECONDS ?= 60
fuzz: .venv/.ready-fuzz ## Feed generated input to everything that parses (FUZZ_SECONDS=... for each file format, 60 as it is)
	@$(RUN) pytest -q -p no:cacheprovider tests/fuzz
	@for target in curve profile own_profile journal quantity graph; do \
	  .venv/bin/python tests/fuzz/run.py $$target $(FUZZ_SECONDS) .venv/fuzz || exit 1; done

topic: $(READY) compiler ## Make a new topic from a skeleton (STEM=... CHAPTER=... TITLE="..."): docs/adding-a-topic.md
	@.venv/bin/python docs/new_topic.py "$(STEM)" "$(CHAPTER)" "$(TITLE)"

record: $(READY) compiler ## Measure a lab on this machine and ship that as its recorded data (LAB=...)
	@.venv/bin/spe-lab run $(LAB) --save spe_lab/recorded/$(LAB).json

notebooks: $(READY) compiler ## Write links and lists of chapters, execute all notebooks, bring them into canonical form
	@rm -rf "$(PRIVATE)" && mkdir -p "$(PRIVATE)"
	@.venv/bin/python docs/course_pages.py
	@.venv/bin/python tests/notebooks/canonical.py notebooks/*.ipynb

# Explorers show recorded data, so this needs no quiet machine. Sphinx reads a copy, since it resolves no link to a page
# that is reached through the symbolic link to the notebooks.
book: .venv/.ready-book compiler ## Build the workbook as HTML to read without a kernel: dist/book/index.html
	@rm -rf "$(PRIVATE)" dist/book && mkdir -p "$(PRIVATE)" && cp -RL book "$(PRIVATE)/book"
	@$(RUN) sphinx --builder html --jobs 2 --fail-on-warning --keep-going --quiet --doctree-dir "$(PRIVATE)/doctrees" "$(PRIVATE)/book" dist/book
	@echo "Open dist/book/index.html"

# The book in one page, from what make book has read, printed by a browser. It opens what is folded (book.css).
CHROMIUM ?= $(firstword $(shell command -v chromium chromium-browser google-chrome 2>/dev/null))
book-pdf: ## Build the book, and print it as one PDF: dist/spe-lab.pdf (needs Chromium; CHROMIUM=... names it)
	@test -n "$(CHROMIUM)" || { echo "No Chromium found, which prints the PDF: install one (Debian: apt install chromium)," \
	  "name one (CHROMIUM=/path/to/chrome), or print pages of make book from your browser." >&2; exit 1; }
	@$(MAKE) --no-print-directory book
	@$(RUN) sphinx --builder singlehtml --quiet --doctree-dir "$(PRIVATE)/doctrees" "$(PRIVATE)/book" "$(PRIVATE)/single"
	@"$(CHROMIUM)" --headless --disable-gpu $$([ "$$(id -u)" = 0 ] && echo --no-sandbox) --no-pdf-header-footer \
	  --virtual-time-budget=120000 --print-to-pdf=dist/spe-lab.pdf "file://$(PRIVATE)/single/index.html" 2>"$(PRIVATE)/chromium.log" \
	  && test -s dist/spe-lab.pdf || { cat "$(PRIVATE)/chromium.log" >&2; exit 1; }
	@echo "Open dist/spe-lab.pdf"

clean: ## Remove the virtual environment, caches and JupyterLab's own settings (compiled kernels stay in the user's cache)
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .jupyter/lab .jupyter/migrated .jupyter/lecture/migrated dist
	find spe_lab tests benchmarks notebooks \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

ready: .venv/.ready-book,lecture,dask,ipyparallel compiler ## Install what make test needs, and run nothing

# Not an error: the labs open with their models and with recorded data. The order is that of spe_lab.core.c.toolchain.
compiler: $(READY)
	@set -- $$CC; \
	if [ $$# -gt 0 ]; then command -v "$$1" >/dev/null 2>&1 || echo "CC names $$1, which is not there, so nothing can be measured: unset CC, or name another compiler."; \
	else { command -v cc || .venv/bin/python -c 'import ziglang'; } >/dev/null 2>&1 || \
	  echo "No C compiler found, so nothing can be measured: install one (Debian: apt install gcc libc6-dev), or run make lab EXTRAS=compiler."; fi

# uv installs in a quarter of pip's time, but does not read pip's settings: where those name an index, or none, or uv cannot be had, pip does it.
# pip compiles by one processor what it installs; here all of them do, and packages' own tests are left out. What cannot be compiled is
# a template or meant for another Python.
PIP := $(RUN) pip --disable-pip-version-check --quiet
define install
{ ! $(RUN) pip config list 2>/dev/null | grep -Eq '[.](index-url|no-index)=' && $(PIP) install --no-compile uv && \
  .venv/bin/uv pip install --quiet --python .venv/bin/python --editable '.[$1]'; } || $(PIP) install --no-compile --editable '.[$1]'
$(RUN) compileall -qq -j 0 -x '/tests?/' .venv/lib || true
endef

# Set-up. The stamp holds the folder's name: a checkout that was moved or copied has an environment that imports from the old place.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif
$(READY): pyproject.toml
	@test -n "$(FIRST_USABLE)" || { echo "No Python 3.11 to 3.13 with venv found among: $(PYTHON). Install one" \
	  "(Debian: apt install python3-venv), or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up .venv with $(FIRST_USABLE): the first time takes one to three minutes."
	@$(RUN) pip --version >/dev/null 2>&1 || $(FIRST_USABLE) -m venv --clear .venv
	@$(call install,test$(EXTRAS:%=,%))
	@echo "$(CURDIR)" > $@

# What single targets need besides: make lecture, make book.
.venv/.ready-%: $(READY)
	@$(call install,$*)
	@echo "$(CURDIR)" > $@

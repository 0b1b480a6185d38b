# `make notebooks` builds the pages, `make test` runs every test, `make help` lists the rest.
# Everything is set up in .venv/ from requirements.lock; everything made is under build/.

PYTHON ?= python3
LAB_FLAGS ?=

python := .venv/bin/python
ready := .venv/ready
# A kernel must not see what else this machine's user has configured for Jupyter and IPython.
clean_kernel = JUPYTER_CONFIG_DIR="$(CURDIR)/build/jupyter" IPYTHONDIR="$(CURDIR)/build/ipython"
# An hour ends what hangs, and nothing that is only slow because the machine is busy.
# A kernel talks over sockets in a folder of its own: nobody else on the machine can listen.
nbconvert = sockets=$$(mktemp -d) && trap 'rm -rf "$$sockets"' EXIT INT TERM && \
	$(clean_kernel) $(python) -m nbconvert --to notebook --execute \
	--ExecutePreprocessor.record_timing=False --ExecutePreprocessor.store_widget_state=False \
	--ExecutePreprocessor.timeout=3600 --ExecutePreprocessor.startup_timeout=3600 \
	--KernelManager.transport=ipc \
	--KernelManager.ip="$$sockets/kernel"

export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONHOME PYTHONPATH

.DELETE_ON_ERROR:
.PHONY: help notebooks site execute numbers quick test lab bench lint lock clean distclean

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1~\2/p' Makefile | awk -F'~' '{printf "%-16s %s\n", $$1, $$2}'

notebooks: $(ready) ## execute every notebook in a clean kernel and write the pages to build/site/
	@rm -rf build/notebooks build/site
	@echo "Executing the notebooks ..."
	@$(nbconvert) --output-dir=build/notebooks notebooks/*.ipynb
	@$(python) notebooks/_book/build.py build/notebooks build/site

site: $(ready) ## write the pages again from the notebooks that were executed last
	@$(python) notebooks/_book/build.py build/notebooks build/site

execute: $(ready) ## for authors: execute every notebook in place, ready to commit
	@$(nbconvert) --inplace notebooks/*.ipynb
	@$(python) -m tests.notebooks.ledger
	@$(python) notebooks/_book/picture.py

numbers: $(ready) ## for authors: write the current figures into the ledger, the README and the prose
	@$(python) -m tests.notebooks.ledger

# What is compiled is kept for the next time.
quick: $(ready) ## pass the tests that find most mistakes soonest; tests/quick.py names them
	@NUMBA_CACHE_DIR="$(CURDIR)/build/quick" $(python) -m pytest --quiet -p no:nbval \
		--numprocesses=auto --maxprocesses=4 --dist=loadfile $$($(python) -m tests.quick)

# By file: the cells of a notebook belong together.
test: $(ready) ## run every test: unit, property, twin, and every notebook's stored outputs
	@tests/spin/ensure-spin.sh
	@tests/browser/ensure-chromium.sh
	@rm -rf build/numba build/browser
	@$(clean_kernel) NUMBA_CACHE_DIR="$(CURDIR)/build/numba" $(python) -m pytest \
		--numprocesses=auto --maxprocesses=8 --dist=loadfile \
		--nbval --nbval-current-env --nbval-cell-timeout=3600 \
		--nbval-kernel-startup-timeout=3600 notebooks tests

lab: $(ready) ## open JupyterLab on the notebooks
	@cd notebooks && ../$(python) -m jupyterlab $(LAB_FLAGS)

bench: $(ready) ## measure the simulator's speed and memory
	@tests/spin/ensure-spin.sh
	@$(python) -m tests.bench

lint: $(ready) ## check style, format, types and layers
	@$(python) -m ruff check .
	@$(python) -m ruff format --check --quiet . || { \
		echo "Not formatted; .venv/bin/ruff format . does it." >&2; exit 1; }
	@$(python) -m pyright
	@.venv/bin/lint-imports

lock: $(ready) ## resolve requirements.lock again from pyproject.toml (UPGRADE=1: to the newest versions)
	@$(python) -m uv pip compile pyproject.toml --all-extras --group test --group book --group setup \
		--universal --fork-strategy fewest --python-version 3.11.5 \
		--no-header --no-annotate --quiet $(if $(UPGRADE),--upgrade) --output-file requirements.lock

clean: ## remove what was made under build/
	@rm -rf build .pytest_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean ## remove the environment .venv/ as well
	@rm -rf .venv

# uv installs in seconds; where it cannot be had, pip does the same in a minute or two.
$(ready): requirements.lock pyproject.toml
	@rm -f $@
	@$(python) -m pip --version >/dev/null 2>&1 || { \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5))' || { \
			echo "rfcsim needs Python 3.11.5 or newer, and $(PYTHON) is not." >&2; \
			echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
			exit 1; }; \
		echo "Setting up .venv ..."; \
		$(PYTHON) -m venv --clear .venv; }
	@trap 'exit 130' INT; \
		$(python) -m pip install --quiet "$$(grep '^uv==' requirements.lock)" \
		&& $(python) -m uv pip sync --quiet --python $(python) requirements.lock \
		|| $(python) -m pip install --quiet --requirement requirements.lock
	@$(python) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

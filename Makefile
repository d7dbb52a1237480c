# make run: serve Kasane.  make test: every test.  make bench: speed against PyTorch and scikit-learn.  make lint: ruff.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8501
BIN := $(if $(filter Windows_NT,$(OS)),$(VENV)/Scripts,$(VENV)/bin)

.PHONY: run test bench lint messages

run: $(VENV)/run.stamp
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(VENV)/dev.stamp
	$(BIN)/python -m tests.benchmarks.engine
	$(BIN)/python -m tests.benchmarks.convolution
	$(BIN)/python -m tests.benchmarks.inference

lint: $(VENV)/dev.stamp
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

# Packages are not compiled beforehand, which takes as long as to fetch them: Python compiles what it imports.
INSTALL := $(BIN)/python -m pip install --quiet --no-compile

$(VENV)/run.stamp: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --requirement requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --requirement requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

# Collect new messages into assets/locales/ja.po; what lacks a translation there fails the tests.
KEYWORDS := $(addprefix -k ,_ N_ Text InputError DatasetError CheckpointError)
messages: $(VENV)/dev.stamp
	$(BIN)/pybabel -q extract --no-location --sort-output $(KEYWORDS) --ignore-dirs=__pycache__ -o $(VENV)/messages.pot engine pages app.py
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete -l ja -i $(VENV)/messages.pot -o assets/locales/ja.po

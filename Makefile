# Thin aliases. Each first makes .venv with the pinned versions, when that is not there (scripts/setup.sh); those of
# developers add to it what development.txt lists.
READY := .venv/.ready-$(shell (pwd -P; cat requirements.txt torch.txt cuda.txt weights.txt scripts/setup.sh) | cksum | cut -d' ' -f1)
DEVELOPMENT := $(READY)-$(shell cksum < development.txt | cut -d' ' -f1)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export PYTHON TORCH_INDEX_URL

.PHONY: help setup repro pull ui test lint bench evidence curves real scale service faults sbom audit

help:
	@echo "make repro [DATA=digits|symbols|stamps|path/to/your/data]   which training strategy wins, and how sure that is"
	@echo "make pull       results that somebody else pushed: report, models and costs, and nothing is trained"
	@echo "make ui         every run in the MLflow UI"
	@echo "make curves     the result over compute and over labels; takes about five times as long as make repro"
	@echo "make test       all tests"
	@echo "make lint       ruff and mypy"
	@echo "make bench      speed, measured side by side"
	@echo "make real       the comparison on public real data, held against scikit-learn; takes about an hour"
	@echo "make service    the server beside that of MLflow, and ten thousand connections; needs the outs of make repro"
	@echo "make scale      a Ray cluster on this machine, one model on several processes, many rows: same bytes, and how fast"
	@echo "make faults [N=200]   kills, interrupts, full disks, damage and the like, and what is left of a run afterwards"
	@echo "make sbom       what Trivium is made of: an SBOM and the licences; make audit: known vulnerabilities, too"
	@echo "make evidence   how far the verdict can be trusted"

setup: $(READY)

$(READY):
	@bash scripts/setup.sh $@

$(DEVELOPMENT): $(READY)
	@echo "set-up: what tests and linters need, $$(grep -c '^[a-z]' development.txt) packages"
	@$(BIN)/pip install --quiet --no-deps --require-hashes -r development.txt
	@touch $@

repro: $(READY)
	$(if $(DATA),@$(BIN)/trivium import "$(DATA)")
	@$(BIN)/trivium repair
	@$(BIN)/dvc repro
	@$(BIN)/trivium show

pull: $(READY)
	@$(BIN)/trivium pull

curves: $(READY)
	@$(BIN)/trivium curves

ui: $(READY)
	@$(BIN)/trivium ui

test: $(DEVELOPMENT)
	@bash scripts/browser.sh
	@HF_HUB_OFFLINE=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(DEVELOPMENT)
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python -m benchmarks.speed

real: $(READY)
	@$(BIN)/pip install --quiet --no-deps resvg-py==0.5.0
	@$(BIN)/python -m benchmarks.real

scale: $(READY)
	@$(BIN)/pip install --quiet ray==2.60.0
	@$(BIN)/python -m benchmarks.scale

service: $(READY)
	@$(BIN)/python -m benchmarks.service

evidence: $(READY)
	@$(BIN)/python -m benchmarks.evidence

faults: $(DEVELOPMENT)
	@$(BIN)/python -m benchmarks.faults $(if $(N),--repetitions $(N))

sbom: $(READY)
	@bash scripts/sbom.sh

audit: $(READY)
	@bash scripts/sbom.sh audit

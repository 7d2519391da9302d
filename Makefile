# check | test | image | run | report; each prints the command it runs.
#
#   make check   seconds, the same on any host: format, types, layers, sizes, documents, Python units
#   make test    check, beside it the images, then in a container: C units, workload programs, guests in
#                QEMU (installs and starts a container engine if it has to)

PYTHON := .venv/bin/python

.PHONY: all check guests images test image run report clean

all: check

# The launcher makes the environment; a listing is the cheapest way to have it do so.
.venv/.installed: requirements.lock
	./rexen list >/dev/null

check: .venv/.installed
	.venv/bin/ruff format --check harness workloads baselines hypervisor
	.venv/bin/ruff check harness workloads baselines hypervisor
	.venv/bin/mypy
	$(PYTHON) -m pytest
	@echo "not run: what needs compilers, QEMU, a browser or workers (C units, workload programs, guests): make guests"

guests: .venv/.installed
	$(PYTHON) -m harness.tests.in_container
	$(PYTHON) -m pytest -m "guest or browser or slow or cluster" harness/tests/integration

images: .venv/.installed
	$(PYTHON) -m harness.tests.in_container --build

# Most of check keeps one processor busy, and so does most of a build from nothing.
test: .venv/.installed
	$(MAKE) -j2 check images
	$(MAKE) guests

image: .venv/.installed
	./rexen build

run: .venv/.installed
	./rexen run

report: .venv/.installed
	./rexen report

clean:
	rm -rf build .mypy_cache .ruff_cache .pytest_cache

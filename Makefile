# What a developer runs. Needs Python 3.11 or later, git and make; the rest is installed into .venv from the lock.

VENV    := .venv
BIN     := $(VENV)/bin
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' operator/sidecar_injector/__init__.py)
IMAGE   ?= sidecar-injector:$(VERSION)
# The tool that builds the image: docker, podman or buildah.
BUILDER ?= docker
# What the image is built on, if it is not what the Dockerfile says: best a name with a digest.
BASE_IMAGE ?=
# More words for pytest: make unit ARGS="-k merge".
ARGS    ?=

# One stamp for each content of the lock: an environment is filled once, and again when the lock changes.
CONTENT := $(shell (pwd; cat requirements-dev.lock pyproject.toml) | cksum | cut -d ' ' -f 1)
READY   := $(VENV)/ready-$(CONTENT)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help test lint format unit cluster e2e demo bench up generate lock image sbom clean

help: ## This list
	@sed -n 's/^\([a-z0-9.]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(READY) ## The story in one minute, on a real control plane: apply, label, create, edit live
	@$(BIN)/python -m demo

test: lint binary images ## Everything: lint, types, layers, then every test
	@$(BIN)/python -m pytest $(ARGS)

lint: $(READY) ## Ruff, mypy --strict and the layers between the packages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Put the code into the shape that lint asks for
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

unit: $(READY) ## The quick tests: no cluster
	@$(BIN)/python -m pytest -m "not cluster and not e2e" $(ARGS)

cluster: $(READY) binary ## The tests that need a real API server
	@$(BIN)/python -m pytest -m cluster $(ARGS)

e2e: $(READY) binary images ## The tests on a whole node, with real containers: needs root, installs Debian's containerd and such
	@$(BIN)/python -m pytest -m e2e $(ARGS)

bench: $(READY) ## How fast it is, beside servers that do nothing, and what grows with what; some minutes
	@$(BIN)/python -m benchmarks $(ARGS)

up: $(READY) ## A control plane to play with, until Ctrl-C
	@$(BIN)/python -m tests.kubernetes up

.PHONY: binary images
binary: $(READY)
	@$(BIN)/python -m tests.kubernetes build

images: $(READY)
	@$(BIN)/python -m tests.kubernetes images --if-possible

generate: $(READY) binary ## Rewrite what is generated: manifests/install.yaml and the reference pages
	@KUBECTL="$(BIN)/python -m tests.kubernetes kubectl" KUBECONFIG=/dev/null $(BIN)/python hack/generate.py
	@$(BIN)/python -m sidecar_injector.templating.reference > $(VENV)/templates.md && mv $(VENV)/templates.md docs/reference/
	@$(BIN)/python -m sidecar_injector.profiles.istio.reference > $(VENV)/istio-annotations.md && mv $(VENV)/istio-annotations.md docs/reference/
	@$(BIN)/python -m sidecar_injector.profiles.istio.templates_reference > $(VENV)/istio-templates.md && mv $(VENV)/istio-templates.md docs/reference/

lock: $(READY) ## Resolve the dependencies anew, into every lock file
	$(BIN)/python -m pip install --quiet "pip-tools>=7.5"
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --constraint requirements.lock --extra dev --output-file requirements-dev.lock pyproject.toml
	$(COMPILE) --only-build-deps --build-deps-for wheel --output-file requirements-build.lock pyproject.toml
	echo "cyclonedx-bom>=7.5,<8" | $(COMPILE) --output-file requirements-sbom.lock -

COMPILE = CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras \
  --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

image: ## The container image, with BUILDER (docker, podman, buildah)
	$(BUILDER) build --tag $(IMAGE) $(LABELS) $(BASE) .

LABELS = --label org.opencontainers.image.version=$(VERSION) \
  --label org.opencontainers.image.revision=$(shell git describe --always --abbrev=40 --exclude='*' --dirty)
BASE   = $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE) --label org.opencontainers.image.base.name=$(BASE_IMAGE))

sbom: $(READY) ## The image's Python packages, as a CycloneDX document: dist/sbom.cdx.json
	@$(BIN)/python hack/sbom.py dist/sbom.cdx.json

clean: ## Remove what make made here
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): | $(BIN)/python
	@echo "Installing what requirements-dev.lock names into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/ready-* && touch $@

$(BIN)/python:
	@sh .ci/environment $(VENV)

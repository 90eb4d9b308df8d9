# Builds one layer: every layers/<name>/Makefile includes this file, and `sam build` runs its build-<Layer>.
#
# Wheels are chosen by platform, so no container and no compiler are needed to build for AWS from any machine.
#   LAYER_ARCHITECTURE  x86_64 (default) or arm64: the application's parameter Architecture
#   LAYER_PLATFORM      lambda (default), or host: for functions that run on this very machine
#   LAYER_PYTHON        a Python 3.13 with pip (default: that of `make setup` where there is one, else python3.13)
#
# A function cannot write byte code beside its layers, so without it every cold start compiles them again
# (pydantic and Powertools: 520 ms to import from source, 250 ms from byte code). Hence compileall.

LAYER_ARCHITECTURE ?= x86_64
LAYER_PLATFORM ?= lambda
# The SAM CLI runs this in a folder of its own, where a version manager may choose another Python.
python := ../.local/uv/bin/python3.13
LAYER_PYTHON ?= $(if $(wildcard $(LAYERS)/$(python)),$(subst \ , ,$(LAYERS))/$(python),python3.13)

machine := $(if $(filter arm64,$(LAYER_ARCHITECTURE)),aarch64,$(LAYER_ARCHITECTURE))
lambda := $(foreach tag,manylinux_2_28 manylinux2014 manylinux_2_17,--platform $(tag)_$(machine)) --implementation cp --python-version 3.13
platform := $(if $(filter host,$(LAYER_PLATFORM)),,$(lambda))

build-%:
	"$(LAYER_PYTHON)" -m pip install --quiet --disable-pip-version-check --no-input --no-compile \
		--no-deps --require-hashes --only-binary :all: $(platform) \
		--requirement requirements.txt --target "$(ARTIFACTS_DIR)/python"
	cd "$(ARTIFACTS_DIR)/python" && rm -rf bin
	cd "$(ARTIFACTS_DIR)/python" && find . -type d \( -name __pycache__ -o -name tests \) -prune -exec rm -rf {} +
	cd "$(ARTIFACTS_DIR)/python" && find . -type f \( -name '*.pyi' -o -path '*.dist-info/RECORD' -o -path '*.dist-info/direct_url.json' \) -delete
	"$(LAYER_PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /opt "$(ARTIFACTS_DIR)/python"

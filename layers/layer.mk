# Builds one layer: every layers/<name>/Makefile includes this file, and `sam build` runs its build-<Layer>.
#
# Wheels are chosen by platform, so no container and no compiler are needed to build for AWS from any machine.
#   LAYER_ARCHITECTURE  where it is set, what has to be the application's parameter Architecture
#   LAYER_PLATFORM      lambda (default), or host: for functions that run on this very machine
#   finish          in a layer's own Makefile: what is done to it last
#   LAYER_PYTHON        a Python 3.13 with pip (default: that of `make setup` where there is one, else python3.13)
#
# A function cannot write byte code beside its layers, so without it every cold start compiles them again
# (pydantic and Powertools: 520 ms to import from source, 250 ms from byte code). Hence compileall.

LAYER_PLATFORM ?= lambda
# The SAM CLI runs this in a folder of its own, where a version manager may choose another Python.
python := ../.local/uv/bin/python3.13
LAYER_PYTHON ?= $(if $(wildcard $(LAYERS)/$(python)),$(subst \ , ,$(LAYERS))/$(python),python3.13)

# The template says for which processor, and a build for another one would fail at every import: see processor.py.
processor = "$(LAYER_PYTHON)" "$(subst \ , ,$(LAYERS))/processor.py"
asked = $(or $(shell $(processor) asked "$(ARTIFACTS_DIR)" $*),$(error $*: not built))
machine = $(if $(filter arm64,$(asked)),aarch64,$(asked))
# Amazon Linux 2023 has glibc 2.34; a test looks for a wheel of everything, for both processors.
manylinux := manylinux_2_28 manylinux_2_24 manylinux2014 manylinux_2_17
lambda = $(foreach tag,$(manylinux),--platform $(tag)_$(machine)) --implementation cp --python-version 3.13
for_lambda := $(if $(filter host,$(LAYER_PLATFORM)),,yes)

build-%:
	"$(LAYER_PYTHON)" -m pip install --quiet --disable-pip-version-check --no-input --no-compile \
		--no-deps --require-hashes --only-binary :all: $(if $(for_lambda),$(lambda)) \
		--requirement requirements.txt --target "$(ARTIFACTS_DIR)/python"
	cd "$(ARTIFACTS_DIR)/python" && rm -rf bin
	cd "$(ARTIFACTS_DIR)/python" && find . -type d \( -name __pycache__ -o -name tests \) -prune -exec rm -rf {} +
	cd "$(ARTIFACTS_DIR)/python" && find . -type f \( -name '*.pyi' -o -path '*.dist-info/RECORD' -o -path '*.dist-info/direct_url.json' \) -delete
	"$(LAYER_PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /opt "$(ARTIFACTS_DIR)/python"
	$(finish)
	$(if $(for_lambda),$(processor) check "$(ARTIFACTS_DIR)" $(asked))

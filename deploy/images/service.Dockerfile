# One of the four Python services. Build it from the root of the checkout:
#   docker build -f deploy/images/service.Dockerfile --build-arg SERVICE=orders -t pastelka-orders .
# SERVICE is orders, coloring, vectorize or notifier. README.md in this folder has the details.
ARG SERVICE

FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

FROM docker.io/library/python:3.13.18-slim-trixie AS python

FROM python AS build
COPY --from=uv /uv /usr/local/bin/uv
# Bytecode is not validated at run time: file times change in image layers, and the sources do not.
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/app \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH
WORKDIR /src
COPY pyproject.toml uv.lock ./
COPY libs/common/pyproject.toml libs/common/
COPY services/orders/pyproject.toml services/orders/
COPY services/coloring/pyproject.toml services/coloring/
COPY services/vectorize/pyproject.toml services/vectorize/
COPY services/notifier/pyproject.toml services/notifier/
COPY deploy/local/pyproject.toml deploy/local/
ARG SERVICE
# The locked versions, verified by hash; wheels only, so nothing is compiled.
# Only coloring has an extra: the model of its local provider.
RUN --mount=type=cache,id=pastelka-uv,target=/root/.cache/uv \
    --mount=type=secret,id=environment \
    if [ -f /run/secrets/environment ]; then . /run/secrets/environment; fi \
    && uv sync --frozen --no-dev --no-build --no-install-workspace --all-extras --package "pastelka-${SERVICE}"
COPY libs/common libs/common
COPY services/${SERVICE} services/${SERVICE}
# uv builds the workspace's packages offline. Modules that only tests use are removed.
RUN uv sync --frozen --no-dev --no-editable --offline --all-extras --package "pastelka-${SERVICE}" \
    && rm -r /app/lib/python3*/site-packages/pastelka_common/servers \
             /app/lib/python3*/site-packages/pastelka_common/testing /app/.lock \
    && find /app/lib -type d \( -name tests -o -path '*/onnx/backend/test' \) -prune -exec rm -r {} +
COPY deploy/images/healthcheck.py /app/healthcheck.py

FROM build AS build-orders
FROM build AS build-vectorize
FROM build AS build-notifier
FROM build AS build-coloring
# The local provider's model is converted at build time: containers start faster and need no writable cache.
COPY deploy/images/coloring_model.py ./
RUN XDG_CACHE_HOME=/app/cache /app/bin/python coloring_model.py && chmod -R a+rX /app/cache

FROM python AS runtime
# Remove the installers and all setuid bits. Compile the standard library, which comes without bytecode: the file
# system is read-only at run time.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/pip* \
    && python3 -m compileall -q --invalidation-mode unchecked-hash \
       "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && install -d -o 10001 -g 10001 /data /data/images
ENV PATH=/app/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/app/cache \
    HOST=0.0.0.0 \
    PORT=8000 \
    STORAGE_PATH=/data/images
WORKDIR /
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["python", "-m"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "/app/healthcheck.py"]

# The orders image contains the API, the worker (pastelka_orders.entrypoints.worker), the migrations
# (pastelka_orders.entrypoints.migrate) and the operator's commands (pastelka_orders).
FROM runtime AS run-orders
CMD ["pastelka_orders.entrypoints.api"]
FROM runtime AS run-coloring
CMD ["pastelka_coloring"]
FROM runtime AS run-vectorize
CMD ["pastelka_vectorize"]
FROM runtime AS run-notifier
CMD ["pastelka_notifier"]

# hadolint ignore=DL3006
FROM build-${SERVICE} AS built

# hadolint ignore=DL3006
FROM run-${SERVICE}
COPY --from=built /app /app
ARG SERVICE
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pastelka-${SERVICE}" \
      org.opencontainers.image.description="Pastelka: the service ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13.18-slim-trixie"

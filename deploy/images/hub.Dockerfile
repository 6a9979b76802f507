# The Mercure hub of deploy/mercure. Build it from the root of the checkout:
#   docker build -f deploy/images/hub.Dockerfile -t pastelka-hub .
FROM docker.io/library/golang:1.26.8-trixie AS build
ENV CGO_ENABLED=0 \
    GOFLAGS="-trimpath -buildvcs=false -mod=readonly" \
    GOTOOLCHAIN=local
WORKDIR /src/hub
COPY deploy/mercure/go.mod deploy/mercure/go.sum ./
RUN --mount=type=cache,id=pastelka-go-mod,target=/go/pkg/mod \
    --mount=type=secret,id=environment \
    if [ -f /run/secrets/environment ]; then . /run/secrets/environment; fi \
    && go mod download
COPY deploy/mercure/main.go ./
# The tags leave out database drivers that the hub does not use.
RUN --mount=type=cache,id=pastelka-go-mod,target=/go/pkg/mod \
    --mount=type=cache,id=pastelka-go-build,target=/root/.cache/go-build \
    go build -tags=nobadger,nomysql,nopgx -ldflags="-s -w" -o /out/bin/mercure .
WORKDIR /src/healthcheck
COPY deploy/images/healthcheck ./
RUN --mount=type=cache,id=pastelka-go-build,target=/root/.cache/go-build \
    go build -ldflags="-s -w" -o /out/bin/healthcheck . \
    && install -d -o 10001 -g 10001 /out/data \
    && install -d -m 1777 /out/tmp

# Two programs and a configuration: no shell, no libraries.
FROM scratch
COPY --from=build /out /
COPY deploy/mercure/Caddyfile /etc/mercure/Caddyfile
ENV PATH=/bin \
    HOME=/tmp \
    MERCURE_HOST=0.0.0.0 \
    MERCURE_PORT=3000 \
    MERCURE_DATA=/data \
    XDG_CONFIG_HOME=/data/caddy \
    XDG_DATA_HOME=/data/caddy \
    GOMEMLIMIT=256MiB
USER 10001:10001
EXPOSE 3000
ENTRYPOINT ["mercure"]
CMD ["run", "--config", "/etc/mercure/Caddyfile", "--adapter", "caddyfile"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["healthcheck"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pastelka-hub" \
      org.opencontainers.image.description="Pastelka: the Mercure hub" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

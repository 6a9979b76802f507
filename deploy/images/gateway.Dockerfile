# The gateway: nginx with the built dashboard. Build it from the root of the checkout:
#   docker build -f deploy/images/gateway.Dockerfile -t pastelka-gateway .
FROM docker.io/library/node:24.19.0-trixie-slim AS build
WORKDIR /src
COPY frontend/package.json frontend/package-lock.json ./
RUN --mount=type=cache,id=pastelka-npm,target=/root/.npm \
    --mount=type=secret,id=environment \
    if [ -f /run/secrets/environment ]; then . /run/secrets/environment; fi \
    && npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM docker.io/library/nginx:1.31.3-trixie
# At its start nginx creates the temporary folders of every built-in module, even of unused ones.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && install -d -o 10001 -g 10001 /data /data/images \
    && for module in client proxy fastcgi uwsgi scgi; do \
         install -d -o 10001 -g 10001 "/var/cache/nginx/${module}_temp"; \
       done
COPY --from=build /src/dist /srv/pastelka/dashboard
COPY deploy/nginx /etc/pastelka/nginx
COPY --chmod=755 deploy/images/gateway.sh /usr/local/bin/pastelka-gateway
ENV PASTELKA_HOST=0.0.0.0 \
    PASTELKA_PORT=8080 \
    PASTELKA_STATIC_PORT=8081 \
    PAGE_PATH=/srv/pastelka/dashboard \
    STORAGE_PATH=/data/images \
    NGINX_TEMP=/tmp \
    ORDERS_API=orders-api:8000 \
    MERCURE_HUB=mercure:3000 \
    STATIC_ORIGIN=http://localhost:8081 \
    LOOPBACK_ORIGIN=http://localhost:8080
USER 10001:10001
EXPOSE 8080 8081
STOPSIGNAL SIGQUIT
ENTRYPOINT ["pastelka-gateway"]
CMD []
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PASTELKA_PORT && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '^HTTP/1.1 200' <&3"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pastelka-gateway" \
      org.opencontainers.image.description="Pastelka: nginx with the dashboard" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/nginx:1.31.3-trixie"

#!/bin/sh
# Renders the templates of deploy/nginx from the environment, with the defaults of defaults.env, and runs nginx.
# Values that could end a quoted string in nginx's configuration are rejected.
set -eu
templates=/etc/pastelka/nginx
target=$NGINX_TEMP/nginx

# Defaults that depend on the bucket's host.
if [ "${FILES_IN:-}" = bucket ] && [ -n "${BUCKET_HOST:-}" ]; then
    case ${BUCKET_SCHEME:=http} in https) port=443 ;; *) port=80 ;; esac
    case $BUCKET_HOST in
        *\]) bucket=$BUCKET_HOST ;;
        *:*) bucket=${BUCKET_HOST%:*} port=${BUCKET_HOST##*:} ;;
        *) bucket=$BUCKET_HOST ;;
    esac
    : "${BUCKET_SERVER:=$bucket:$port}" "${BUCKET_NAME:=$bucket}" "${BUCKET_TLS:=}" "${BUCKET_RESOLVER:=}" "${BUCKET_LOOKUP:=}"
    if [ "$BUCKET_SCHEME" = https ] && [ -z "$BUCKET_TLS" ]; then
        bundle=/etc/ssl/certs/ca-certificates.crt
        BUCKET_TLS="proxy_ssl_verify on; proxy_ssl_verify_depth 4; proxy_ssl_trusted_certificate $bundle;"
    fi
    # nginx's resolver ignores search domains: a name that needs them is resolved once, at the start.
    name=${BUCKET_SERVER%:*}
    case $name in
        *[!0-9.]*)
            servers=$(sed -n 's/^nameserver[[:space:]]*\([0-9.]*\)[[:space:]]*$/\1/p' /etc/resolv.conf | tr '\n' ' ')
            if [ -z "$BUCKET_RESOLVER" ] && [ -n "$servers" ] && getent ahostsv4 "${name%.}." >/dev/null; then
                BUCKET_RESOLVER="resolver ${servers% };"
                BUCKET_LOOKUP=resolve
            fi
            ;;
    esac
    export BUCKET_SCHEME BUCKET_SERVER BUCKET_NAME BUCKET_TLS BUCKET_RESOLVER BUCKET_LOOKUP
fi

if [ -f "$templates/defaults.env" ]; then
    while IFS='=' read -r name value; do
        case $name in '' | '#'*) continue ;; esac
        eval "export $name=\"\${$name-\$value}\""
    done <"$templates/defaults.env"
fi

# The names of the form ${NAME}. With this list, envsubst leaves nginx's own variables alone.
names=$(cat "$templates"/*.template | grep -o '\${[A-Z_]*}' | sort -u)
for braced in $names; do
    name=${braced#??}
    name=${name%?}
    if ! value=$(printenv "$name"); then
        echo "gateway: $name is not set; the nginx templates need it" >&2
        exit 2
    fi
    case $value in *[\"\\\$]* | *'
'*)
        echo "gateway: $name contains a quote, a backslash, a \$ or a line break, which nginx's configuration cannot contain" >&2
        exit 2
        ;;
    esac
done

mkdir -p "$target"
for template in "$templates"/*.template; do
    name=${template##*/}
    envsubst "$names" <"$template" >"$target/${name%.template}"
done
# On SIGQUIT nginx finishes open requests; event streams never finish, so the shutdown needs a timeout.
exec nginx -p "$target/" -e stderr -c "$target/nginx.conf" -g 'daemon off; worker_shutdown_timeout 20s;'

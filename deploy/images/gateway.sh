#!/bin/sh
# Fills in the templates of deploy/nginx from the environment and becomes nginx.
# Where the environment says nothing, defaults.env does, if it is there. A value must not be able to
# end the quotes it stands in.
set -eu
templates=/etc/pastelka/nginx
target=$NGINX_TEMP/nginx

# What follows from where the bucket is, unless it is said.
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
    # nginx knows no search domains: a name that needs them is looked up once, at the start.
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

# Sorted names of the form ${NAME}. The list keeps envsubst from nginx's own names, which look alike.
names=$(cat "$templates"/*.template | grep -o '\${[A-Z_]*}' | sort -u)
for braced in $names; do
    name=${braced#??}
    name=${name%?}
    if ! value=$(printenv "$name"); then
        echo "gateway: $name is missing; the templates of nginx need it" >&2
        exit 2
    fi
    case $value in *[\"\\\$]* | *'
'*)
        echo "gateway: $name holds a quote, a backslash, a \$ or a line break; nginx needs it without" >&2
        exit 2
        ;;
    esac
done

mkdir -p "$target"
for template in "$templates"/*.template; do
    name=${template##*/}
    envsubst "$names" <"$template" >"$target/${name%.template}"
done
# On SIGQUIT requests are finished; the browsers' event streams never end by themselves.
exec nginx -p "$target/" -e stderr -c "$target/nginx.conf" -g 'daemon off; worker_shutdown_timeout 20s;'

#!/bin/sh
# Fills in the templates of deploy/nginx from the environment and becomes nginx.
# Where the environment says nothing, defaults.env does, if it is there. A value must not be able to
# end the quotes it stands in.
set -eu
templates=/etc/pastelka/nginx
target=$NGINX_TEMP/nginx

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

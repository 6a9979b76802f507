{{- /* The variables of the templates in deploy/nginx: their defaults, those derived from the values, and `gateway.settings`, in ascending precedence. */ -}}
{{- define "pastelka.nginxNames" -}}
{{- $names := dict -}}
{{- range .Files.Lines "files/nginx/defaults.env" -}}
{{- if regexMatch "^[A-Z_]+=" . -}}
{{- $name := regexFind "^[A-Z_]+" . -}}
{{- $_ := set $names $name (trimPrefix (printf "%s=" $name) .) -}}
{{- end -}}
{{- end -}}
{{- $auth := .Values.auth -}}
{{- $authProxies := ternary $auth.proxy.trustedProxies list (eq $auth.mode "proxy") -}}
{{- $trustedProxies := concat .Values.trustedProxies $authProxies | uniq -}}
{{- $own := dict
  "PASTELKA_HOST" "0.0.0.0"
  "PASTELKA_PORT" "8080"
  "PASTELKA_STATIC_PORT" "8081"
  "NGINX_TEMP" "/tmp"
  "STORAGE_PATH" .Values.storage.path
  "PAGE_PATH" .Values.gateway.pagePath
  "ORDERS_API" (printf "%s-orders-api:8000" (include "pastelka.fullname" .))
  "MERCURE_HUB" (printf "%s-hub:8000" (include "pastelka.fullname" .))
  "LOOPBACK_ORIGIN" ""
  "STATIC_ORIGIN" (include "pastelka.staticOrigin" .)
  "AUTH_PROXY_USER_HEADER" $auth.proxy.userHeader
  "AUTH_PROXY_USER_VARIABLE" (printf "http_%s" ($auth.proxy.userHeader | lower | replace "-" "_"))
  "AUTH_PROXY_GROUPS_HEADER" $auth.proxy.groupsHeader
  "AUTH_PROXY_GROUPS_VARIABLE" (printf "http_%s" ($auth.proxy.groupsHeader | lower | replace "-" "_"))
  "REAL_IP_FROM" (include "pastelka.lines" (dict "before" "set_real_ip_from " "list" $trustedProxies "after" ";"))
  "TRUSTED_PEERS" (include "pastelka.lines" (dict "before" "" "list" $trustedProxies "after" " 1;"))
  "AUTH_PEERS" (include "pastelka.lines" (dict "before" "" "list" $authProxies "after" " 1;"))
-}}
{{- if eq .Values.storage.kind "bucket" -}}
{{- $store := include "pastelka.store" . | fromYaml -}}
{{- $_ := mergeOverwrite $own (dict
  "FILES_IN" "bucket" "BUCKET_SCHEME" $store.scheme "BUCKET_HOST" $store.host "BUCKET_SERVER" $store.server "BUCKET_NAME" $store.hostname
) -}}
{{- with .Values.storage.bucket.resolver -}}
{{- $_ := mergeOverwrite $own (dict "BUCKET_RESOLVER" (printf "resolver %s;" .) "BUCKET_LOOKUP" "resolve") -}}
{{- end -}}
{{- if eq $store.scheme "https" -}}
{{- /* nginx verifies a chain of depth 1 by default; private CAs often have an intermediate certificate. */ -}}
{{- $bundle := default "/etc/ssl/certs/ca-certificates.crt" (include "pastelka.authorities.file" .) -}}
{{- $_ := set $own "BUCKET_TLS" (printf "proxy_ssl_verify on; proxy_ssl_verify_depth 4; proxy_ssl_trusted_certificate %s;" $bundle) -}}
{{- end -}}
{{- end -}}
{{- mergeOverwrite $names $own .Values.gateway.settings | toYaml -}}
{{- end -}}

{{- define "pastelka.lines" -}}
{{- $lines := list -}}
{{- range .list }}{{ $lines = append $lines (printf "%s%s%s" $.before . $.after) }}{{ end -}}
{{- join " " $lines -}}
{{- end -}}

{{- /* Origin of the files if it differs from the gateway's. */ -}}
{{- define "pastelka.staticOrigin" -}}
{{- $page := urlParse .Values.publicUrl -}}
{{- $files := urlParse (default .Values.publicUrl .Values.staticUrl) -}}
{{- if or (ne $files.host $page.host) (ne $files.scheme $page.scheme) -}}
{{- printf "%s://%s" $files.scheme $files.host -}}
{{- end -}}
{{- end -}}

{{- /* nginx's configuration files: the templates of deploy/nginx with their variables substituted. */ -}}
{{- define "pastelka.nginx" -}}
{{- $names := include "pastelka.nginxNames" . | fromYaml -}}
{{- $files := dict -}}
{{- range $path, $content := .Files.Glob "files/nginx/*.template" -}}
{{- $text := toString $content -}}
{{- range $name, $value := $names -}}
{{- if regexMatch "[\"\\\\$\\n]" (toString $value) -}}
{{- fail (printf "%s is %q; it must not contain quotes, backslashes, $ or line breaks" $name $value) -}}
{{- end -}}
{{- $text = replace (printf "${%s}" $name) (toString $value) $text -}}
{{- end -}}
{{- with regexFind "\\$\\{[A-Z_]+\\}" $text -}}
{{- fail (printf "%s contains %s, which templates/_nginx.tpl does not define" (base $path) .) -}}
{{- end -}}
{{- /* `auto` would start one process for each processor of the node. */ -}}
{{- $text = replace "worker_processes auto;" (printf "worker_processes %v;" $.Values.gateway.workerProcesses) $text -}}
{{- $_ := set $files (trimSuffix ".template" (base $path)) $text -}}
{{- end -}}
{{- toYaml $files -}}
{{- end -}}

{{- /* nginx.conf: the repository's template with its names filled in, as the local stack does it. */ -}}
{{- define "pastelka.nginx" -}}
{{- $conf := .Files.Get "files/nginx.conf.template" -}}
{{- $names := dict
  "PASTELKA_HOST" "0.0.0.0"
  "PASTELKA_PORT" "8080"
  "PASTELKA_STATIC_PORT" "8081"
  "NGINX_TEMP" "/tmp"
  "STORAGE_PATH" .Values.storage.path
  "PAGE_PATH" .Values.gateway.pagePath
  "ORDERS_API" (printf "%s-orders-api:8000" (include "pastelka.fullname" .))
  "MERCURE_HUB" (printf "%s-hub:8000" (include "pastelka.fullname" .))
-}}
{{- range $name, $value := $names -}}
{{- $conf = replace (printf "${%s}" $name) $value $conf -}}
{{- end -}}
{{- with regexFind "\\$\\{[A-Z_]+\\}" $conf -}}
{{- fail (printf "nginx.conf.template asks for %s, which the chart does not fill in (templates/_nginx.tpl)" .) -}}
{{- end -}}
{{- /* `auto` counts the processors of the node. */ -}}
{{- replace "worker_processes auto;" (printf "worker_processes %v;" .Values.gateway.workerProcesses) $conf -}}
{{- end -}}

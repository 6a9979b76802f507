{{- /* The CA bundle that replaces the images' own. Each template takes the root context. */ -}}

{{- define "pastelka.authorities.file" -}}
{{- if or .Values.authorities.configMap .Values.authorities.secret -}}
/etc/ssl/pastelka/{{ .Values.authorities.key }}
{{- end -}}
{{- end -}}

{{- /* SSL_CERT_FILE: Python, the S3 client and NATS; PGSSLROOTCERT: asyncpg with `?ssl=verify-full`; the third: the OTLP exporter. */ -}}
{{- define "pastelka.env.authorities" -}}
{{- with include "pastelka.authorities.file" . -}}
- {name: SSL_CERT_FILE, value: {{ . | quote }}}
- {name: PGSSLROOTCERT, value: {{ . | quote }}}
- {name: OTEL_EXPORTER_OTLP_CERTIFICATE, value: {{ . | quote }}}
{{- end -}}
{{- end -}}

{{- define "pastelka.authorities.mount" -}}
{{- if include "pastelka.authorities.file" . -}}
- {name: pastelka-authorities, mountPath: /etc/ssl/pastelka, readOnly: true}
{{- end -}}
{{- end -}}

{{- define "pastelka.authorities.volume" -}}
{{- with .Values.authorities -}}
{{- if .configMap -}}
- {name: pastelka-authorities, configMap: {name: {{ .configMap | quote }}}}
{{- else if .secret -}}
- {name: pastelka-authorities, secret: {secretName: {{ .secret | quote }}}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Certificates that are believed in place of the images' own. Each takes the root context. */ -}}

{{- define "pastelka.authorities.file" -}}
{{- if or .Values.authorities.configMap .Values.authorities.secret -}}
/etc/ssl/pastelka/{{ .Values.authorities.key }}
{{- end -}}
{{- end -}}

{{- /* Python, the library of the bucket and NATS read the first, the driver of PostgreSQL (`?ssl=verify-full`) the second, the exporter of traces the third. */ -}}
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

{{- /* Environment variables of the services, by concern. Each template takes the root context. */ -}}

{{- define "pastelka.env.common" -}}
- {name: PORT, value: "8000"}
- {name: LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
- {name: SHUTDOWN_GRACE, value: {{ .Values.shutdownGrace | quote }}}
{{- with .Values.otlpEndpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- end -}}

{{- define "pastelka.env.nats" -}}
{{- if .Values.nats.existingSecret -}}
- name: NATS_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.nats.existingSecret | quote }}, key: {{ .Values.nats.key | quote }}}}
{{- else -}}
{{- if include "pastelka.ownNats" . }}
- name: NATS_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "pastelka.tryOutSecret" . | quote }}, key: nats-password}}
- {name: NATS_URL, value: {{ printf "nats://pastelka:$(NATS_PASSWORD)@%s-nats:4222" (include "pastelka.fullname" .) | quote }}}
{{- else }}
- {name: NATS_URL, value: {{ .Values.nats.url | quote }}}
{{- end }}
{{- end }}
{{- with .Values.nats.prefix }}
- {name: NATS_PREFIX, value: {{ . | quote }}}
{{- end }}
- {name: STREAM_REPLICAS, value: {{ .Values.nats.streamReplicas | quote }}}
{{- end -}}

{{- /* The URL from a Secret, or composed of user and password, as Secrets of PostgreSQL operators contain them. */ -}}
{{- define "pastelka.env.database" -}}
{{- $secret := include "pastelka.databaseSecret" . -}}
{{- with .Values.database -}}
{{- if .host -}}
- name: DATABASE_USER
  valueFrom: {secretKeyRef: {name: {{ $secret | quote }}, key: {{ .userKey | quote }}}}
- name: DATABASE_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret | quote }}, key: {{ .passwordKey | quote }}}}
{{- $rest := printf "%s%s" .name (ternary "" (printf "?%s" .options) (empty .options)) }}
- name: DATABASE_URL
  value: {{ printf "postgresql+asyncpg://$(DATABASE_USER):$(DATABASE_PASSWORD)@%s:%v/%s" .host .port $rest | quote }}
{{- if .directHost }}
- name: DATABASE_DIRECT_URL
  value: {{ printf "postgresql+asyncpg://$(DATABASE_USER):$(DATABASE_PASSWORD)@%s:%v/%s" .directHost .directPort $rest | quote }}
{{- end }}
{{- else -}}
- name: DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ $secret | quote }}, key: {{ .key | quote }}}}
{{- end }}
{{- if .directKey }}
- name: DATABASE_DIRECT_URL
  valueFrom: {secretKeyRef: {name: {{ $secret | quote }}, key: {{ .directKey | quote }}}}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The migrations do not access the storage; they strip this path from the file paths of old rows. */ -}}
{{- define "pastelka.env.storagePath" -}}
- {name: STORAGE_PATH, value: {{ .Values.storage.path | quote }}}
{{- end -}}

{{- define "pastelka.env.storage" -}}
{{- if ne .Values.storage.kind "bucket" -}}
{{ include "pastelka.env.storagePath" . }}
{{- else -}}
{{- with .Values.storage.bucket -}}
- {name: STORAGE_URL, value: {{ .url | quote }}}
- {name: AWS_REGION, value: {{ .region | quote }}}
{{- with .endpoint }}
- {name: AWS_ENDPOINT_URL, value: {{ trimSuffix "/" . | quote }}}
{{- end }}
{{- if .existingSecret }}
{{- $secret := .existingSecret }}
{{- range $name, $key := dict "AWS_ACCESS_KEY_ID" .accessKeyIdKey "AWS_SECRET_ACCESS_KEY" .secretAccessKeyKey "AWS_SESSION_TOKEN" .sessionTokenKey }}
{{- with $key }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $secret | quote }}, key: {{ . | quote }}}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "pastelka.env.mercurePublisher" -}}
- name: MERCURE_PUBLISHER_JWT_KEY
  valueFrom: {secretKeyRef: {name: {{ include "pastelka.mercureSecret" . | quote }}, key: {{ .Values.mercure.publisherKey | quote }}}}
{{- end -}}

{{- define "pastelka.env.mercureSubscriber" -}}
- name: MERCURE_SUBSCRIBER_JWT_KEY
  valueFrom: {secretKeyRef: {name: {{ include "pastelka.mercureSecret" . | quote }}, key: {{ .Values.mercure.subscriberKey | quote }}}}
{{- end -}}

{{- define "pastelka.env.orders" -}}
{{ include "pastelka.env.common" . }}
{{ include "pastelka.env.database" . }}
- {name: DATABASE_POOL_SIZE, value: {{ .Values.database.poolSize | quote }}}
{{ include "pastelka.env.nats" . }}
{{ include "pastelka.env.storage" . }}
- {name: STATIC_URL, value: {{ default (printf "%s/static" (trimSuffix "/" .Values.publicUrl)) .Values.staticUrl | quote }}}
{{ include "pastelka.env.mercureSubscriber" . }}
- {name: TIMEZONE, value: {{ .Values.timezone | quote }}}
- {name: COLORING_PROVIDER, value: {{ .Values.coloring.provider | quote }}}
- {name: AUTO_PROCESS, value: {{ .Values.autoProcess | quote }}}
{{- with .Values.prices }}
- {name: COLORING_PRICE, value: {{ .coloring | quote }}}
- {name: SVG_PRICE, value: {{ .svg | quote }}}
- {name: CURRENCY, value: {{ .currency | quote }}}
{{- end }}
{{- with .Values.print }}
- {name: PRINT_PAPER, value: {{ .paper | quote }}}
- {name: PRINT_BLEED_MM, value: {{ .bleedMm | quote }}}
- {name: PRINT_ORIENTATION, value: {{ .orientation | quote }}}
- {name: PRINT_BACKS, value: {{ .backs | quote }}}
- {name: PRINT_NUMBERS, value: {{ .numbers | quote }}}
- {name: PRINT_FONT, value: {{ .font | quote }}}
- {name: PRINT_LAYOUTS, value: {{ .layouts | toJson | quote }}}
{{- end }}
- {name: AUTH_MODE, value: {{ .Values.auth.mode | quote }}}
{{- if eq .Values.auth.mode "proxy" }}
- {name: AUTH_PROXY_USER_HEADER, value: {{ .Values.auth.proxy.userHeader | quote }}}
- {name: AUTH_PROXY_GROUPS_HEADER, value: {{ .Values.auth.proxy.groupsHeader | quote }}}
- {name: AUTH_PROXY_OPERATORS, value: {{ .Values.auth.proxy.operators | quote }}}
- {name: AUTH_PROXY_VIEWERS, value: {{ .Values.auth.proxy.viewers | quote }}}
- {name: AUTH_TRUSTED_PROXIES, value: {{ join "," .Values.auth.proxy.trustedProxies | quote }}}
{{- end }}
- {name: TRUSTED_PROXIES, value: {{ join "," .Values.trustedProxies | quote }}}
{{- with .Values.shop.storeUrl }}
- {name: SHOPIFY_STORE_URL, value: {{ . | quote }}}
{{- end }}
{{- if .Values.shop.existingSecret }}
{{- with .Values.shop.accessTokenKey }}
- name: SHOPIFY_ACCESS_TOKEN
  valueFrom: {secretKeyRef: {name: {{ $.Values.shop.existingSecret | quote }}, key: {{ . | quote }}}}
{{- end }}
{{- with .Values.shop.webhookSecretKey }}
- name: SHOPIFY_WEBHOOK_SECRET
  valueFrom: {secretKeyRef: {name: {{ $.Values.shop.existingSecret | quote }}, key: {{ . | quote }}}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "pastelka.env.coloring" -}}
{{ include "pastelka.env.common" . }}
{{ include "pastelka.env.nats" . }}
{{ include "pastelka.env.storage" . }}
{{- with .Values.coloring }}
- {name: COLORING_PROVIDER, value: {{ .provider | quote }}}
- {name: COLORING_THREADS, value: {{ .threads | quote }}}
{{- with .concurrency }}
- {name: COLORING_CONCURRENCY, value: {{ . | quote }}}
{{- end }}
{{- with .maxInFlight }}
- {name: COLORING_MAX_IN_FLIGHT, value: {{ . | quote }}}
{{- end }}
{{- if eq .provider "runpod" }}
- {name: RUNPOD_ENDPOINT_ID, value: {{ .runpod.endpointId | quote }}}
- {name: RUNPOD_BASE_URL, value: {{ .runpod.baseUrl | quote }}}
- name: RUNPOD_API_KEY
  valueFrom: {secretKeyRef: {name: {{ .runpod.existingSecret | quote }}, key: {{ .runpod.key | quote }}}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "pastelka.env.vectorize" -}}
{{ include "pastelka.env.common" . }}
{{ include "pastelka.env.nats" . }}
{{ include "pastelka.env.storage" . }}
{{- with .Values.vectorize }}
- {name: VECTORIZE_PROVIDER, value: {{ .provider | quote }}}
{{- with .concurrency }}
- {name: VECTORIZE_CONCURRENCY, value: {{ . | quote }}}
{{- end }}
{{- with .maxInFlight }}
- {name: VECTORIZE_MAX_IN_FLIGHT, value: {{ . | quote }}}
{{- end }}
{{- if eq .provider "vectorizer" }}
- {name: VECTORIZER_BASE_URL, value: {{ .vectorizer.baseUrl | quote }}}
- name: VECTORIZER_API_KEY
  valueFrom: {secretKeyRef: {name: {{ .vectorizer.existingSecret | quote }}, key: {{ .vectorizer.idKey | quote }}}}
- name: VECTORIZER_API_SECRET
  valueFrom: {secretKeyRef: {name: {{ .vectorizer.existingSecret | quote }}, key: {{ .vectorizer.secretKey | quote }}}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "pastelka.env.notifier" -}}
{{ include "pastelka.env.common" . }}
{{ include "pastelka.env.nats" . }}
- {name: MERCURE_URL, value: {{ printf "http://%s-hub:8000/.well-known/mercure" (include "pastelka.fullname" .) | quote }}}
{{ include "pastelka.env.mercurePublisher" . }}
{{- end -}}

{{- define "pastelka.env.hub" -}}
- {name: MERCURE_PORT, value: "8000"}
- {name: MERCURE_DATA, value: /data}
- {name: XDG_DATA_HOME, value: /data}
- {name: XDG_CONFIG_HOME, value: /tmp}
{{ include "pastelka.env.mercurePublisher" . }}
{{ include "pastelka.env.mercureSubscriber" . }}
{{- end -}}

{{- define "pastelka.env.afterRestore" -}}
- {name: LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
{{ include "pastelka.env.database" . }}
{{ include "pastelka.env.nats" . }}
{{ include "pastelka.env.storage" . }}
- {name: TIMEZONE, value: {{ .Values.timezone | quote }}}
{{- end -}}

{{- /* Checks that values.schema.json cannot express: values that depend on each other. Fails with one line for each error. */ -}}
{{- define "pastelka.checks" -}}
{{- $errors := list -}}
{{- if not .Values.publicUrl -}}
{{- $errors = append $errors "publicUrl is empty: set the public URL of the gateway, such as https://pastelka.example.org" -}}
{{- end -}}
{{- if not .Values.auth.mode -}}
{{- $errors = append $errors "auth.mode is empty: set password (users in the database) or proxy (an authenticating proxy names the user)" -}}
{{- end -}}
{{- if and (eq .Values.auth.mode "proxy") (not .Values.auth.proxy.trustedProxies) -}}
{{- $errors = append $errors "auth.mode is proxy, which needs auth.proxy.trustedProxies: the addresses of the proxy whose headers are trusted" -}}
{{- end -}}
{{- if and (eq .Values.auth.mode "proxy") (not .Values.auth.proxy.operators) (not .Values.auth.proxy.viewers) -}}
{{- $errors = append $errors "auth.proxy.operators and auth.proxy.viewers are empty, so no user would have access" -}}
{{- end -}}
{{- if not (or .Values.database.existingSecret .Values.tryOut.enabled) -}}
{{- $errors = append $errors "database.existingSecret is empty: set a Secret with the URL of PostgreSQL, or tryOut.enabled to deploy PostgreSQL" -}}
{{- end -}}
{{- if and .Values.database.host (not .Values.database.existingSecret) -}}
{{- $errors = append $errors "database.host needs database.existingSecret: a Secret with user and password" -}}
{{- end -}}
{{- if not (or .Values.nats.url .Values.nats.existingSecret .Values.tryOut.enabled) -}}
{{- $errors = append $errors "nats.url and nats.existingSecret are empty: set the URL of NATS, or tryOut.enabled to deploy NATS" -}}
{{- end -}}
{{- if not (or .Values.mercure.existingSecret .Values.tryOut.enabled) -}}
{{- $errors = append $errors "mercure.existingSecret is empty: set a Secret with the hub's two keys, or tryOut.enabled to generate them" -}}
{{- end -}}
{{- if eq .Values.storage.kind "bucket" -}}
{{- if not .Values.storage.bucket.url -}}
{{- $errors = append $errors "storage.kind is bucket, which needs storage.bucket.url: s3://bucket or s3://bucket/prefix" -}}
{{- end -}}
{{- if .Values.storage.existingClaim -}}
{{- $errors = append $errors "storage.kind is bucket, and storage.existingClaim names a claim: set only one of them" -}}
{{- end -}}
{{- else if or .Values.storage.bucket.url .Values.storage.bucket.endpoint .Values.storage.bucket.existingSecret -}}
{{- $errors = append $errors "storage.bucket is set, and storage.kind is claim: set storage.kind to bucket, or remove storage.bucket" -}}
{{- end -}}
{{- if and (eq .Values.coloring.provider "runpod") (not (and .Values.coloring.runpod.endpointId .Values.coloring.runpod.existingSecret)) -}}
{{- $errors = append $errors "coloring.provider is runpod, which needs coloring.runpod.endpointId and coloring.runpod.existingSecret" -}}
{{- end -}}
{{- if and (eq .Values.vectorize.provider "vectorizer") (not .Values.vectorize.vectorizer.existingSecret) -}}
{{- $errors = append $errors "vectorize.provider is vectorizer, which needs vectorize.vectorizer.existingSecret" -}}
{{- end -}}
{{- if and .Values.keda.enabled (not (include "pastelka.natsMonitoring" .)) -}}
{{- $errors = append $errors "keda.enabled needs nats.monitoringEndpoint: host:port of the HTTP monitoring of NATS" -}}
{{- end -}}
{{- if and .Values.gatewayApi.enabled (not .Values.gatewayApi.parentRefs) -}}
{{- $errors = append $errors "gatewayApi.enabled needs gatewayApi.parentRefs" -}}
{{- end -}}
{{- if and .Values.authorities.configMap .Values.authorities.secret -}}
{{- $errors = append $errors "authorities.configMap and authorities.secret are both set: set only one of them" -}}
{{- end -}}
{{- if and .Values.backupRecord.enabled (not .Values.backupRecord.existingClaim) -}}
{{- $errors = append $errors "backupRecord.enabled needs backupRecord.existingClaim: a claim for the records, on other storage than the files" -}}
{{- end -}}
{{- if and .Values.backupRecord.enabled (eq .Values.backupRecord.existingClaim (include "pastelka.claim" .)) -}}
{{- $errors = append $errors "backupRecord.existingClaim is the claim of the files: a record must survive the loss of the files" -}}
{{- end -}}
{{- with .Values.afterRestore -}}
{{- if .enabled -}}
{{- if eq .withoutRecord (not (empty .record)) -}}
{{- $errors = append $errors "afterRestore needs either record, the name of the newest record, or withoutRecord: true" -}}
{{- end -}}
{{- if and .record (not .recordConfigMap) (not $.Values.backupRecord.existingClaim) -}}
{{- $errors = append $errors "afterRestore.record needs backupRecord.existingClaim or afterRestore.recordConfigMap; both are empty" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $component := list "coloring" "vectorize" -}}
{{- $scale := get $.Values.keda $component -}}
{{- if gt (int $scale.minReplicas) (int $scale.maxReplicas) -}}
{{- $errors = append $errors (printf "keda.%s.minReplicas is larger than maxReplicas" $component) -}}
{{- end -}}
{{- end -}}
{{- if gt (int .Values.ordersApi.autoscaling.minReplicas) (int .Values.ordersApi.autoscaling.maxReplicas) -}}
{{- $errors = append $errors "ordersApi.autoscaling.minReplicas is larger than maxReplicas" -}}
{{- end -}}
{{- with $errors -}}
{{- fail (printf "\n\n%s\n" (join "\n" .)) -}}
{{- end -}}
{{- end -}}

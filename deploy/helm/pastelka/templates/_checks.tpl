{{- /* What a schema cannot say: values that need each other. Fails with one line for each. */ -}}
{{- define "pastelka.checks" -}}
{{- $errors := list -}}
{{- if not .Values.publicUrl -}}
{{- $errors = append $errors "publicUrl is empty: the address at which people reach Pastelka, such as https://pastelka.example.org" -}}
{{- end -}}
{{- if not .Values.auth.mode -}}
{{- $errors = append $errors "auth.mode is empty: password (users in the database) or proxy (a proxy in front names the user)" -}}
{{- end -}}
{{- if and (eq .Values.auth.mode "proxy") (not .Values.auth.proxy.trustedProxies) -}}
{{- $errors = append $errors "auth.mode is proxy, which needs auth.proxy.trustedProxies: the addresses that its headers are believed from" -}}
{{- end -}}
{{- if and (eq .Values.auth.mode "proxy") (not .Values.auth.proxy.operators) (not .Values.auth.proxy.viewers) -}}
{{- $errors = append $errors "auth.proxy.operators and auth.proxy.viewers are empty, so no user would have access" -}}
{{- end -}}
{{- if not (or .Values.database.existingSecret .Values.tryOut.enabled) -}}
{{- $errors = append $errors "database.existingSecret is empty: a Secret with the address of PostgreSQL, or tryOut.enabled for one of this chart" -}}
{{- end -}}
{{- if and .Values.database.host (not .Values.database.existingSecret) -}}
{{- $errors = append $errors "database.host needs database.existingSecret: the Secret with user and password" -}}
{{- end -}}
{{- if not (or .Values.nats.url .Values.nats.existingSecret .Values.tryOut.enabled) -}}
{{- $errors = append $errors "nats.url and nats.existingSecret are empty: the address of NATS, or tryOut.enabled for one of this chart" -}}
{{- end -}}
{{- if not (or .Values.mercure.existingSecret .Values.tryOut.enabled) -}}
{{- $errors = append $errors "mercure.existingSecret is empty: a Secret with the hub's two keys, or tryOut.enabled, which draws them" -}}
{{- end -}}
{{- if eq .Values.storage.kind "bucket" -}}
{{- if not .Values.storage.bucket.url -}}
{{- $errors = append $errors "storage.kind is bucket, which needs storage.bucket.url: s3://bucket or s3://bucket/prefix" -}}
{{- end -}}
{{- if .Values.storage.existingClaim -}}
{{- $errors = append $errors "storage.kind is bucket, and storage.existingClaim names a claim: the files are in one of both" -}}
{{- end -}}
{{- else if or .Values.storage.bucket.url .Values.storage.bucket.endpoint .Values.storage.bucket.existingSecret -}}
{{- $errors = append $errors "storage.bucket is set, and storage.kind is claim: the files are in one of both" -}}
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
{{- $errors = append $errors "authorities.configMap and authorities.secret are both set: the certificates are in one of both" -}}
{{- end -}}
{{- if and .Values.backupRecord.enabled (not .Values.backupRecord.existingClaim) -}}
{{- $errors = append $errors "backupRecord.enabled needs backupRecord.existingClaim: where the records are kept, apart from what they are for" -}}
{{- end -}}
{{- if and .Values.backupRecord.enabled (eq .Values.backupRecord.existingClaim (include "pastelka.claim" .)) -}}
{{- $errors = append $errors "backupRecord.existingClaim is the claim of the files: a record must outlive what it is for" -}}
{{- end -}}
{{- with .Values.afterRestore -}}
{{- if .enabled -}}
{{- if eq .withoutRecord (not (empty .record)) -}}
{{- $errors = append $errors "afterRestore needs either record, the name of the newest record, or withoutRecord: true" -}}
{{- end -}}
{{- if and .record (not .recordConfigMap) (not $.Values.backupRecord.existingClaim) -}}
{{- $errors = append $errors "afterRestore.record is in backupRecord.existingClaim or in afterRestore.recordConfigMap; both are empty" -}}
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

{{- /* What a schema cannot say: values that need each other. Fails with one line for each. */ -}}
{{- define "pastelka.checks" -}}
{{- $wrong := list -}}
{{- if not .Values.publicUrl -}}
{{- $wrong = append $wrong "publicUrl is empty: the address at which people reach Pastelka, such as https://pastelka.example.org" -}}
{{- end -}}
{{- if not .Values.auth.mode -}}
{{- $wrong = append $wrong "auth.mode is empty: password (users in the database) or proxy (a proxy in front names the user)" -}}
{{- end -}}
{{- if and (eq .Values.auth.mode "proxy") (not .Values.auth.proxy.trustedProxies) -}}
{{- $wrong = append $wrong "auth.mode is proxy, which needs auth.proxy.trustedProxies: the addresses that its headers are believed from" -}}
{{- end -}}
{{- if and (eq .Values.auth.mode "proxy") (not .Values.auth.proxy.operators) (not .Values.auth.proxy.viewers) -}}
{{- $wrong = append $wrong "auth.proxy.operators and auth.proxy.viewers are empty, so no user would have access" -}}
{{- end -}}
{{- if not (or .Values.database.existingSecret .Values.tryOut.enabled) -}}
{{- $wrong = append $wrong "database.existingSecret is empty: a Secret with the address of PostgreSQL, or tryOut.enabled for one of this chart" -}}
{{- end -}}
{{- if and .Values.database.host (not .Values.database.existingSecret) -}}
{{- $wrong = append $wrong "database.host needs database.existingSecret: the Secret with user and password" -}}
{{- end -}}
{{- if not (or .Values.nats.url .Values.nats.existingSecret .Values.tryOut.enabled) -}}
{{- $wrong = append $wrong "nats.url and nats.existingSecret are empty: the address of NATS, or tryOut.enabled for one of this chart" -}}
{{- end -}}
{{- if not (or .Values.mercure.existingSecret .Values.tryOut.enabled) -}}
{{- $wrong = append $wrong "mercure.existingSecret is empty: a Secret with the hub's two keys, or tryOut.enabled, which draws them" -}}
{{- end -}}
{{- if eq .Values.storage.kind "bucket" -}}
{{- if not .Values.storage.bucket.url -}}
{{- $wrong = append $wrong "storage.kind is bucket, which needs storage.bucket.url: s3://bucket or s3://bucket/prefix" -}}
{{- end -}}
{{- if .Values.storage.existingClaim -}}
{{- $wrong = append $wrong "storage.kind is bucket, and storage.existingClaim names a claim: the files are in one of both" -}}
{{- end -}}
{{- else if or .Values.storage.bucket.url .Values.storage.bucket.endpoint .Values.storage.bucket.existingSecret -}}
{{- $wrong = append $wrong "storage.bucket is set, and storage.kind is claim: the files are in one of both" -}}
{{- end -}}
{{- if and (eq .Values.coloring.provider "runpod") (not (and .Values.coloring.runpod.endpointId .Values.coloring.runpod.existingSecret)) -}}
{{- $wrong = append $wrong "coloring.provider is runpod, which needs coloring.runpod.endpointId and coloring.runpod.existingSecret" -}}
{{- end -}}
{{- if and (eq .Values.vectorize.provider "vectorizer") (not .Values.vectorize.vectorizer.existingSecret) -}}
{{- $wrong = append $wrong "vectorize.provider is vectorizer, which needs vectorize.vectorizer.existingSecret" -}}
{{- end -}}
{{- if and .Values.keda.enabled (not (include "pastelka.natsMonitoring" .)) -}}
{{- $wrong = append $wrong "keda.enabled needs nats.monitoringEndpoint: host:port of the HTTP monitoring of NATS" -}}
{{- end -}}
{{- if and .Values.gatewayApi.enabled (not .Values.gatewayApi.parentRefs) -}}
{{- $wrong = append $wrong "gatewayApi.enabled needs gatewayApi.parentRefs" -}}
{{- end -}}
{{- if and .Values.authorities.configMap .Values.authorities.secret -}}
{{- $wrong = append $wrong "authorities.configMap and authorities.secret are both set: the certificates are in one of both" -}}
{{- end -}}
{{- if and .Values.backupRecord.enabled (not .Values.backupRecord.existingClaim) -}}
{{- $wrong = append $wrong "backupRecord.enabled needs backupRecord.existingClaim: where the records are kept, apart from what they are for" -}}
{{- end -}}
{{- if and .Values.backupRecord.enabled (eq .Values.backupRecord.existingClaim (include "pastelka.claim" .)) -}}
{{- $wrong = append $wrong "backupRecord.existingClaim is the claim of the files: a record must outlive what it is for" -}}
{{- end -}}
{{- with .Values.afterRestore -}}
{{- if .enabled -}}
{{- if eq .withoutRecord (not (empty .record)) -}}
{{- $wrong = append $wrong "afterRestore needs either record, the name of the newest record, or withoutRecord: true" -}}
{{- end -}}
{{- if and .record (not .recordConfigMap) (not $.Values.backupRecord.existingClaim) -}}
{{- $wrong = append $wrong "afterRestore.record is in backupRecord.existingClaim or in afterRestore.recordConfigMap; both are empty" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $component := list "coloring" "vectorize" -}}
{{- $scale := get $.Values.keda $component -}}
{{- if gt (int $scale.minReplicas) (int $scale.maxReplicas) -}}
{{- $wrong = append $wrong (printf "keda.%s.minReplicas is larger than maxReplicas" $component) -}}
{{- end -}}
{{- end -}}
{{- if gt (int .Values.ordersApi.autoscaling.minReplicas) (int .Values.ordersApi.autoscaling.maxReplicas) -}}
{{- $wrong = append $wrong "ordersApi.autoscaling.minReplicas is larger than maxReplicas" -}}
{{- end -}}
{{- with $wrong -}}
{{- fail (printf "\n\n%s\n" (join "\n" .)) -}}
{{- end -}}
{{- end -}}

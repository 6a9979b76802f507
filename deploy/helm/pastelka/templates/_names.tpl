{{- /* Names, labels and images. Each takes the root context, or a dict with it as `root`. */ -}}

{{- define "pastelka.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "pastelka.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "pastelka.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "pastelka.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Labels that select the pods of `component`, or without it those of the whole release. */ -}}
{{- define "pastelka.selector" -}}
app.kubernetes.io/name: {{ include "pastelka.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "pastelka.labels" -}}
{{ include "pastelka.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: pastelka
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Pod labels. Without the chart's version, which would restart every pod at each upgrade of the chart. */ -}}
{{- define "pastelka.podLabels" -}}
{{ include "pastelka.selector" . }}
app.kubernetes.io/part-of: pastelka
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The metadata of an object. Takes root, component, suffix of its name (default: the component), labels, annotations. */ -}}
{{- define "pastelka.metadata" -}}
{{- $suffix := default .component .suffix -}}
name: {{ include "pastelka.fullname" .root }}{{ with $suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "pastelka.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with mergeOverwrite (deepCopy .root.Values.commonAnnotations) (default dict .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* An image reference. Takes root, image. The default tag is the chart's appVersion. */ -}}
{{- define "pastelka.image" -}}
{{- $registry := default .image.registry .root.Values.global.imageRegistry -}}
{{- $tag := coalesce .image.tag .root.Values.imageTag .root.Chart.AppVersion -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .image.repository -}}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ $tag }}{{ end -}}
{{- end -}}

{{- define "pastelka.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "pastelka.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* The ServiceAccount of a pod. Takes root, v (merged values). */ -}}
{{- define "pastelka.podServiceAccount" -}}
{{- default (include "pastelka.serviceAccount" .root) .v.serviceAccountName -}}
{{- end -}}

{{- /* Name of the Secret that `tryOut` generates. */ -}}
{{- define "pastelka.tryOutSecret" -}}
{{ include "pastelka.fullname" . }}-try-out
{{- end -}}

{{- define "pastelka.databaseSecret" -}}
{{- default (include "pastelka.tryOutSecret" .) .Values.database.existingSecret -}}
{{- end -}}

{{- define "pastelka.mercureSecret" -}}
{{- default (include "pastelka.tryOutSecret" .) .Values.mercure.existingSecret -}}
{{- end -}}

{{- /* Whether `tryOut` deploys PostgreSQL, or NATS, or generates the hub's keys: "true" or empty. */ -}}
{{- define "pastelka.ownDatabase" -}}
{{- if and .Values.tryOut.enabled (not .Values.database.existingSecret) -}}true{{- end -}}
{{- end -}}

{{- define "pastelka.ownNats" -}}
{{- if and .Values.tryOut.enabled (not .Values.nats.url) (not .Values.nats.existingSecret) -}}true{{- end -}}
{{- end -}}

{{- define "pastelka.ownKeys" -}}
{{- if and .Values.tryOut.enabled (not .Values.mercure.existingSecret) -}}true{{- end -}}
{{- end -}}

{{- define "pastelka.claim" -}}
{{- default (printf "%s-files" (include "pastelka.fullname" .)) .Values.storage.existingClaim -}}
{{- end -}}

{{- define "pastelka.migration" -}}
{{- if ne .Values.migration.mode "auto" -}}
{{- .Values.migration.mode -}}
{{- else if include "pastelka.ownDatabase" . -}}
initContainer
{{- else -}}
hook
{{- end -}}
{{- end -}}

{{- define "pastelka.host" -}}
{{- (urlParse .Values.publicUrl).hostname -}}
{{- end -}}

{{- define "pastelka.natsMonitoring" -}}
{{- if and (include "pastelka.ownNats" .) (not .Values.nats.monitoringEndpoint) -}}
{{ include "pastelka.fullname" . }}-nats.{{ .Release.Namespace }}.svc:8222
{{- else -}}
{{- .Values.nats.monitoringEndpoint -}}
{{- end -}}
{{- end -}}

{{- /* The bucket's store as YAML: scheme, hostname, port, host as signed (with the port unless it is the scheme's default), and server. */ -}}
{{- define "pastelka.store" -}}
{{- $bucket := .Values.storage.bucket -}}
{{- $url := urlParse (default (printf "https://s3.%s.amazonaws.com" $bucket.region) (trimSuffix "/" $bucket.endpoint)) -}}
{{- $usual := ternary "443" "80" (eq $url.scheme "https") -}}
{{- $port := default $usual (trimPrefix ":" (regexFind ":[0-9]+$" $url.host)) -}}
{{- $name := trimSuffix (printf ":%s" $port) $url.host -}}
scheme: {{ $url.scheme }}
hostname: {{ trimAll "[]" $name | quote }}
port: {{ $port }}
host: {{ ternary $name (printf "%s:%s" $name $port) (eq $port $usual) | quote }}
server: {{ printf "%s:%s" $name $port | quote }}
{{- end -}}

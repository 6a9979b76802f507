{{- /* A component's values merged over `defaults`, as YAML. Takes root, values. */ -}}
{{- define "pastelka.merged" -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy .values) | toYaml -}}
{{- end -}}

{{- /*
The pod of a component. Takes root, component, v (merged values), image, command, args, env (YAML), ports (dict of
name and number), ready (path of the readiness probe), preStop (seconds; 0: none), volumes and mounts (YAML),
init (YAML), checksum (text; a change restarts the pods).
*/ -}}
{{- define "pastelka.pod" -}}
{{- $v := .v -}}
metadata:
  labels:
    {{- include "pastelka.podLabels" . | nindent 4 }}
    {{- with $v.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $annotations := deepCopy $v.podAnnotations -}}
  {{- with .checksum }}{{ $_ := set $annotations "checksum/config" (sha256sum .) }}{{ end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with include "pastelka.placement" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  serviceAccountName: {{ include "pastelka.podServiceAccount" . }}
  automountServiceAccountToken: {{ $v.automountServiceAccountToken }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "pastelka.gracePeriod" . }}
  securityContext:
    {{- toYaml $v.podSecurityContext | nindent 4 }}
  {{- with (concat (.init | default "" | fromYamlArray) $v.extraInitContainers) }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ .image | quote }}
      imagePullPolicy: {{ $v.imagePullPolicy }}
      command:
        {{- toYaml .command | nindent 8 }}
      {{- with .args }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- $env := concat (.env | default "" | fromYamlArray) (include "pastelka.env.authorities" .root | fromYamlArray) }}
      {{- with concat $env $v.extraEnv }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $v.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- range $name, $number := .ports }}
        - {name: {{ $name }}, containerPort: {{ $number }}}
        {{- end }}
      {{- include "pastelka.probes" . | nindent 6 }}
      {{- with .preStop }}
      # The pod serves requests until its endpoint is removed.
      lifecycle: {preStop: {sleep: {seconds: {{ . }}}}}
      {{- end }}
      resources:
        {{- toYaml $v.resources | nindent 8 }}
      securityContext:
        {{- toYaml $v.securityContext | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- with .mounts | default "" | trim }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with include "pastelka.authorities.mount" .root }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with $v.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with $v.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - {name: tmp, emptyDir: {sizeLimit: {{ $v.tmpSize }}}}
    {{- with .volumes | default "" | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with include "pastelka.authorities.volume" .root }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with $v.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- /* Scheduling and other fields of the pod spec that are omitted if they are empty. */ -}}
{{- define "pastelka.placement" -}}
{{- $v := .v -}}
{{- if ne (toString $v.hostUsers) "<nil>" }}
hostUsers: {{ $v.hostUsers }}
{{- end }}
{{- with .root.Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $name := list "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" }}
{{- with get $v $name }}
{{ $name }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- range $name := list "nodeSelector" "tolerations" "affinity" "hostAliases" "dnsConfig" }}
{{- with get $v $name }}
{{ $name }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- if .spread }}
{{- with $v.topologySpread }}
topologySpreadConstraints:
  {{- range . }}
  - {{ toYaml . | indent 4 | trim }}
    {{- if not .labelSelector }}
    labelSelector:
      matchLabels:
        {{- include "pastelka.selector" (dict "root" $.root "component" $.component) | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Longer than the shutdown: preStop, SHUTDOWN_GRACE, and a margin. */ -}}
{{- define "pastelka.gracePeriod" -}}
{{- add (ceil .root.Values.shutdownGrace) (default 0 .preStop) 15 -}}
{{- end -}}

{{- /* Liveness checks the process only. Readiness checks its dependencies as well; the API excludes NATS
(`exclude=broker`), which few of its requests need. */ -}}
{{- define "pastelka.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: {{ div (add .v.startupSeconds 1) 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: {{ .ready | quote }}, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end -}}

{{- /* A Deployment with its PodDisruptionBudget. Takes the parameters of `pastelka.pod`, and replicas (absent: an autoscaler sets them), recreate. */ -}}
{{- define "pastelka.deployment" -}}
{{- $v := .v -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "pastelka.metadata" (dict "root" .root "component" .component "annotations" $v.annotations) | nindent 2 }}
spec:
  {{- if hasKey . "replicas" }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: {{ $v.revisionHistoryLimit }}
  strategy:
    {{- if .recreate }}
    type: Recreate
    {{- else }}
    type: RollingUpdate
    # Keeps the desired number of pods, unless maxSurge is 0 (such as with one GPU for each pod).
    rollingUpdate: {maxUnavailable: {{ ternary 1 0 (eq (toString $v.maxSurge) "0") }}, maxSurge: {{ $v.maxSurge }}}
    {{- end }}
  selector:
    matchLabels:
      {{- include "pastelka.selector" (dict "root" .root "component" .component) | nindent 6 }}
  template:
    {{- include "pastelka.pod" (merge (dict "spread" true) .) | nindent 4 }}
{{- if $v.podDisruptionBudget }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "pastelka.metadata" (dict "root" .root "component" .component) | nindent 2 }}
spec:
  # maxUnavailable instead of minAvailable, so that a node can always be drained.
  maxUnavailable: {{ $v.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "pastelka.selector" (dict "root" .root "component" .component) | nindent 6 }}
{{- end }}
{{- end -}}

{{- /* A Service. Takes root, component, ports (list of dicts: name, port, target, node), type, labels, annotations, more (further fields). */ -}}
{{- define "pastelka.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "pastelka.metadata" . | nindent 2 }}
spec:
  type: {{ default "ClusterIP" .type }}
  {{- with merge (default dict .more) .root.Values.services }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  selector:
    {{- include "pastelka.selector" . | nindent 4 }}
  ports:
    {{- range .ports }}
    - {name: {{ .name }}, port: {{ .port }}, targetPort: {{ .target }}, protocol: TCP{{ with .node }}, nodePort: {{ . }}{{ end }}}
    {{- end }}
{{- end -}}

{{- /* The volume with the files; empty if they are in a bucket. */ -}}
{{- define "pastelka.storageVolume" -}}
{{- if ne .root.Values.storage.kind "bucket" -}}
- name: files
  persistentVolumeClaim: {claimName: {{ include "pastelka.claim" .root | quote }}{{ if .readOnly }}, readOnly: true{{ end }}}
{{- end -}}
{{- end -}}

{{- define "pastelka.storageMount" -}}
{{- if ne .root.Values.storage.kind "bucket" -}}
- name: files
  mountPath: {{ .root.Values.storage.path }}
  {{- with .root.Values.storage.subPath }}
  subPath: {{ . }}
  {{- end }}
  {{- if .readOnly }}
  readOnly: true
  {{- end }}
{{- end -}}
{{- end -}}

{{- /* The volume with the records of `backup-record`: the claim, or a ConfigMap with one record. */ -}}
{{- define "pastelka.recordVolume" -}}
{{- if .configMap -}}
- {name: record, configMap: {name: {{ .configMap | quote }}}}
{{- else if .root.Values.backupRecord.existingClaim -}}
- {name: record, persistentVolumeClaim: {claimName: {{ .root.Values.backupRecord.existingClaim | quote }}}}
{{- end -}}
{{- end -}}

{{- define "pastelka.recordMount" -}}
{{- $values := .root.Values -}}
{{- if or $values.backupRecord.existingClaim $values.afterRestore.recordConfigMap -}}
- name: record
  mountPath: /record
  {{- if .readOnly }}
  readOnly: true
  {{- end }}
  {{- if not (and .readOnly $values.afterRestore.recordConfigMap) }}
  {{- with $values.backupRecord.subPath }}
  subPath: {{ . }}
  {{- end }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- /* The migrations as an init container; concurrent ones wait for each other. */ -}}
{{- define "pastelka.migrationInit" -}}
{{- if eq (include "pastelka.migration" .root) "initContainer" -}}
- name: migrate
  image: {{ include "pastelka.image" (dict "root" .root "image" .root.Values.ordersApi.image) | quote }}
  imagePullPolicy: {{ .v.imagePullPolicy }}
  command:
    {{- toYaml .root.Values.migration.command | nindent 4 }}
  env:
    {{- include "pastelka.env.database" .root | nindent 4 }}
    {{- include "pastelka.env.storagePath" .root | nindent 4 }}
    {{- with include "pastelka.env.authorities" .root }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .v.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .v.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  resources:
    {{- toYaml .root.Values.migration.resources | nindent 4 }}
  securityContext:
    {{- toYaml .v.securityContext | nindent 4 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- with include "pastelka.authorities.mount" .root }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .v.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}

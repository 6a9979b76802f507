{{- /*
The spec of a Job of the orders image. Takes root, component, v (merged values), command, env, mounts and volumes
(YAML), serviceAccount, backoffLimit, deadline (seconds; empty: no limit).
*/ -}}
{{- define "pastelka.jobSpec" -}}
{{- $v := .v -}}
{{- $root := .root -}}
backoffLimit: {{ .backoffLimit }}
{{- with .deadline }}
activeDeadlineSeconds: {{ . }}
{{- end }}
template:
  metadata:
    labels:
      {{- include "pastelka.podLabels" . | nindent 6 }}
      {{- with $v.podLabels }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with $v.podAnnotations }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    restartPolicy: Never
    {{- with include "pastelka.placement" . | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    serviceAccountName: {{ .serviceAccount }}
    automountServiceAccountToken: {{ $v.automountServiceAccountToken }}
    enableServiceLinks: false
    securityContext:
      {{- toYaml $v.podSecurityContext | nindent 6 }}
    {{- with $v.extraInitContainers }}
    initContainers:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    containers:
      - name: {{ .component }}
        image: {{ include "pastelka.image" (dict "root" $root "image" $root.Values.ordersApi.image) | quote }}
        imagePullPolicy: {{ $v.imagePullPolicy }}
        command:
          {{- toYaml .command | nindent 10 }}
        env:
          {{- .env | trim | nindent 10 }}
          {{- with include "pastelka.env.authorities" $root }}
          {{- . | nindent 10 }}
          {{- end }}
          {{- with $v.extraEnv }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
        {{- with $v.extraEnvFrom }}
        envFrom:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        resources:
          {{- toYaml $v.resources | nindent 10 }}
        securityContext:
          {{- toYaml $v.securityContext | nindent 10 }}
        volumeMounts:
          - {name: tmp, mountPath: /tmp}
          {{- with .mounts | default "" | trim }}
          {{- . | nindent 10 }}
          {{- end }}
          {{- with include "pastelka.authorities.mount" $root }}
          {{- . | nindent 10 }}
          {{- end }}
          {{- with $v.extraVolumeMounts }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
    volumes:
      - {name: tmp, emptyDir: {sizeLimit: {{ $v.tmpSize }}}}
      {{- with .volumes | default "" | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with include "pastelka.authorities.volume" $root }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with $v.extraVolumes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
{{- end -}}

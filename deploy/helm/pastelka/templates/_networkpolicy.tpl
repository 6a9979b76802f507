{{- /* Rules of the NetworkPolicies, one list for each connection of the architecture. They take the root context. */ -}}

{{- define "pastelka.egress.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}

{{- /* An egress rule to `component` of this release, to the given peers, or to any address. */ -}}
{{- define "pastelka.egress.rule" -}}
{{- if .component -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "pastelka.selector" . | nindent 10 }}
{{- else if .peers -}}
- to:
    {{- toYaml .peers | nindent 4 }}
{{- else -}}
- to: []
{{- end }}
  ports: [{port: {{ .port }}, protocol: TCP}]
{{- end -}}

{{- define "pastelka.egress.postgresql" -}}
{{- $own := ternary "postgresql" "" (eq (include "pastelka.ownDatabase" .) "true") -}}
{{- $port := ternary 5432 .Values.database.port (eq $own "postgresql") -}}
{{- include "pastelka.egress.rule" (dict "root" . "component" $own "peers" .Values.networkPolicy.postgresql "port" $port) -}}
{{- $direct := .Values.database.directPort -}}
{{- if and (or .Values.database.directHost .Values.database.directKey) (ne (int $direct) (int $port)) }}
{{ include "pastelka.egress.rule" (dict "root" . "component" $own "peers" .Values.networkPolicy.postgresql "port" $direct) }}
{{- end -}}
{{- end -}}

{{- define "pastelka.egress.nats" -}}
{{- $own := ternary "nats" "" (eq (include "pastelka.ownNats" .) "true") -}}
{{- $port := ternary 4222 .Values.nats.port (eq $own "nats") -}}
{{- include "pastelka.egress.rule" (dict "root" . "component" $own "peers" .Values.networkPolicy.nats "port" $port) -}}
{{- end -}}

{{- /* To the bucket's store; empty if the files are on a volume, which the node mounts. */ -}}
{{- define "pastelka.egress.storage" -}}
{{- if eq .Values.storage.kind "bucket" -}}
{{- $port := default (include "pastelka.store" . | fromYaml).port .Values.networkPolicy.storagePort -}}
{{- include "pastelka.egress.rule" (dict "root" . "peers" .Values.networkPolicy.storage "port" $port) -}}
{{- end -}}
{{- end -}}

{{- /* To the source of the bucket's credentials, if they are not in a Secret. */ -}}
{{- define "pastelka.egress.storageIdentity" -}}
{{- if and (eq .Values.storage.kind "bucket") (not .Values.storage.bucket.existingSecret) -}}
{{- with .Values.networkPolicy.storageIdentity -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "pastelka.egress.hub" -}}
{{- include "pastelka.egress.rule" (dict "root" . "component" "hub" "port" 8000) -}}
{{- end -}}

{{- define "pastelka.egress.api" -}}
{{- include "pastelka.egress.rule" (dict "root" . "component" "orders-api" "port" 8000) -}}
{{- end -}}

{{- define "pastelka.egress.otlp" -}}
{{- if .Values.otlpEndpoint -}}
{{- include "pastelka.egress.rule" (dict "peers" .Values.networkPolicy.otlp "port" .Values.networkPolicy.otlpPort) -}}
{{- end -}}
{{- end -}}

{{- define "pastelka.publicAddresses" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except:
      {{- toYaml .Values.networkPolicy.privateRanges.ipv4 | nindent 6 }}
- ipBlock:
    cidr: 2000::/3
    except:
      {{- toYaml .Values.networkPolicy.privateRanges.ipv6 | nindent 6 }}
{{- end -}}

{{- /* To photos and the shop: public addresses on ports 80 and 443, the same as the downloader allows. */ -}}
{{- define "pastelka.egress.internet" -}}
{{- if .Values.networkPolicy.publicAddresses -}}
- to:
    {{- include "pastelka.publicAddresses" . | nindent 4 }}
  ports: [{port: 80, protocol: TCP}, {port: 443, protocol: TCP}]
{{- end -}}
{{- end -}}

{{- define "pastelka.egress.provider" -}}
{{- if .Values.networkPolicy.publicAddresses -}}
- to:
    {{- include "pastelka.publicAddresses" . | nindent 4 }}
  ports: [{port: 443, protocol: TCP}]
{{- end -}}
{{- end -}}

{{- /* An ingress rule from components of this release. Takes root, components, port. */ -}}
{{- define "pastelka.ingress.from" -}}
- from:
    {{- range .components }}
    - podSelector:
        matchLabels:
          {{- include "pastelka.selector" (dict "root" $.root "component" .) | nindent 10 }}
    {{- end }}
  ports: [{port: {{ .port }}, protocol: TCP}]
{{- end -}}

{{- define "pastelka.ingress.clients" -}}
{{- with .Values.networkPolicy.clients -}}
- from:
    {{- toYaml . | nindent 4 }}
  ports: [{port: 8080, protocol: TCP}, {port: 8081, protocol: TCP}]
{{- else -}}
- ports: [{port: 8080, protocol: TCP}, {port: 8081, protocol: TCP}]
{{- end -}}
{{- end -}}

{{- define "pastelka.ingress.metrics" -}}
{{- with .Values.networkPolicy.prometheus -}}
- from:
    {{- toYaml . | nindent 4 }}
  ports: [{port: 8000, protocol: TCP}]
{{- end -}}
{{- end -}}

{{- /* The NetworkPolicy of a component. Takes root, component, v (merged values), egress (names of the egress templates above), ingress (YAML), annotations. */ -}}
{{- define "pastelka.networkPolicy" -}}
{{- $root := .root -}}
{{- $v := .v -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "pastelka.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "pastelka.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- with .ingress | default "" | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with $v.extraIngress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  egress:
    {{- range $target := .egress }}
    {{- with include (printf "pastelka.egress.%s" $target) $root }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with $v.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

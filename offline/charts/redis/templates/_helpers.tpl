{{- define "fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "image" -}}
image: {{ printf "%s/%s:%s" .Values.image.registry .Values.image.repository .Values.image.tag | quote }}
imagePullPolicy: IfNotPresent
{{- end }}

{{/* Nothing of the pod needs the API server, nor variables for each service beside it. */}}
{{- define "pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1001
  runAsGroup: 1001
  fsGroup: 1001
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Asks every second until the server has started, then seldom: the first answer is what everything else waits for. */}}
{{- define "probes" -}}
startupProbe:
  exec: {command: {{ toJson . }}}
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 180
readinessProbe:
  exec: {command: {{ toJson . }}}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}

{{/* The claim named data; given the persistence values. */}}
{{- define "claims" -}}
volumeClaimTemplates:
  - metadata:
      name: data
      {{- with .annotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      accessModes: [ReadWriteOnce]
      storageClassName: {{ .storageClass | quote }}
      resources:
        requests:
          storage: {{ .size | quote }}
{{- end }}

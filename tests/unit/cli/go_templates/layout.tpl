# made for {{ .Revision }}
{{/* a comment
of two lines */}}
metadata:
  annotations: {
    first: {{ .Revision | quote }},
    {{- if .NativeSidecars }}
    native: "yes",
    {{- end }}
  }
spec:
  containers:
  - name: agent
    image: >-
      {{ .Values.global.hub }}/agent
    args:
    - {{- if .NativeSidecars }} native {{- else }} classic {{- end }}
    - a{{- /* glued */ -}}   b
    - {{ "c" -}}
      d
    - "{% raw %} {# x #}"
    {{ with .Values.agent.pullPolicy }}imagePullPolicy: "{{ . }}"{{ end }}

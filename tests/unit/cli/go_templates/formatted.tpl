metadata:
  annotations:
    json: {{ toJson .Values.agent.resources | quote }}
    more: '{"name": {{ .Values.agent.name | quote }}, "labels": {{ toJSON .ObjectMeta.Labels }}}'
spec:
  nodeSelector:
    {{ toYaml .Spec.NodeSelector | indent 4 }}
  tolerations:
  {{- if .Spec.Tolerations }}
  {{ toYaml .Spec.Tolerations | indent 2 }}
  {{- end }}
  containers:
  - name: agent
    image: agent
    command: {{ .Values.agent.command | toJson }}
    env:
    {{- toYaml .Values.agent.env | nindent 4 }}

metadata:
  annotations:
    {{- with .Values.agent.resources }}
    cpu: {{ .requests.cpu }}
    {{- end }}
    {{- with $note := index .ObjectMeta.Annotations "example.com/text" }}
    note: "{{ $note }}, {{ . }}"
    {{- else }}
    note: nothing
    {{- end }}
    {{- with .Values.agent.absent }}
    absent: {{ . }}
    {{- end }}

metadata:
  annotations:
    untrimmed: |
      one
      {{ if .NativeSidecars }}
      two
      {{ end }}
      three
    trimmed: |
      one
      {{- if .NativeSidecars }}
      two
      {{- end }}
      {{ .Values.agent.lines | indent 6 }}

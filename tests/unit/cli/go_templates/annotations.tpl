metadata:
  annotations:
    plain: {{ annotation .ObjectMeta `example.com/text` "fallback" }}
    number: "{{ annotation .ObjectMeta `example.com/port` .Values.agent.port }}"
    quoted: {{ annotation .ObjectMeta `example.com/hostile` "x" | quote }}
    {{- if eq (annotation .ObjectMeta `example.com/on` false) "true" }}
    said: "yes, it is"
    {{- end }}
    {{- if annotation .ObjectMeta `example.com/never` false }}
    text-false-is-true: "as in Go"
    {{- end }}
    {{- if isset .ObjectMeta.Annotations `example.com/empty` }}
    isset: "also if empty"
    {{- end }}
    value-or-default: {{ valueOrDefault (index .ObjectMeta.Annotations `example.com/text`) "none" }}

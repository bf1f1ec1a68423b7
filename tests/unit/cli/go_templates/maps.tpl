metadata:
  annotations:
    {{- range $key, $value := .Values.agent.labels }}
    {{ $key }}: {{ $value | quote }}
    {{- end }}
    {{- range $key, $value := .ProxyConfig.ProxyMetadata }}
    example.com/{{ $key | lower }}: "{{ $value }}"
    {{- end }}
    one: {{ index .ProxyConfig.ProxyMetadata "FOO" | default "none" }}
    other: {{ .ProxyConfig.ProxyMetadata.FOO }}
    {{- if hasKey .Values.agent "name" }}
    has: name
    {{- end }}

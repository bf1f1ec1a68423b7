spec:
  initContainers:
  {{- range $i, $c := .Spec.Containers }}
  {{- range $j, $p := $c.Ports }}
  - name: wait-{{ $i }}-{{ $j }}
    image: {{ $.Values.agent.name }}
    args: ["{{ $p.ContainerPort }}"]
    {{- if $p.Name }}
    env:
    - name: {{ $p.Name | upper | quote }}
      value: {{ $c.Name }}
    {{- end }}
  {{- end }}
  {{- end }}
  volumes:
  {{- range .Values.agent.volumes }}
  - name: {{ . }}
    emptyDir: {}
  {{- else }}
  - name: none
    emptyDir: {}
  {{- end }}

metadata:
  annotations:
    list: |-
      [
      {{- $first := true }}
      {{- range $i, $c := .Spec.Containers }}
        {{- range $j, $p := $c.Ports }}
          {{- if not $first }},{{ end }}
          {"port": {{ $p.ContainerPort }}, "name": {{ $p.Name | quote }}}
          {{- $first = false }}
        {{- end }}
      {{- end }}
      ]

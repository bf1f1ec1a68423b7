{{- $name := annotation .ObjectMeta `example.com/text` "fallback" -}}
{{- $found := false }}
{{- $names := list }}
{{- range $i, $c := .Spec.Containers }}
{{- $names = append $names $c.Name }}
{{- if eq $c.Name "second" }}{{ $found = true }}{{ end }}
{{- end }}
{{- $x := "outer" }}
metadata:
  annotations:
    name: "{{ $name }}"
    names: {{ $names | join "," }}
    {{- if $found }}
    {{- $x := "inner" }}
    found: {{ $x }}
    {{- end }}
    x: {{ $x }}

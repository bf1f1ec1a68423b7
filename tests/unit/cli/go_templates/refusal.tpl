{{ if eq .DeploymentMeta.Name "nobody" }}{{ fail "not this one" }}{{ end }}
metadata:
  annotations:
    a: b

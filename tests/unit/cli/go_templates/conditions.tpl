metadata:
  annotations:
    {{- if or (isset .ObjectMeta.Annotations `example.com/text`) (eq .DeploymentMeta.Name "other") }}
    either: "1"
    {{- end }}
    {{- if and .Values.agent.debug (not .Values.agent.off) (ne .Values.agent.name "") }}
    all: "1"
    {{- end }}
    {{- if and (gt (len .Spec.Containers) 0) (or (lt (len .Spec.InitContainers) 1) .NativeSidecars) }}
    numbers: "1"
    {{- end }}
    {{- if not (eq .DeploymentMeta.Name "web") }}
    not-web: "1"
    {{- end }}
    {{- if contains "e" .DeploymentMeta.Name }}
    contains: "1"
    {{- end }}
    {{- if .DeploymentMeta.Name | hasPrefix "we" }}
    prefix: "1"
    {{- end }}
    {{- if .Values.agent.absent }}
    absent: "1"
    {{- end }}
    first: {{ or (index .ObjectMeta.Labels "app") (index .ObjectMeta.Labels "version") "none" }}
    inline: {{ if .NativeSidecars }}native{{ else }}classic{{ end }}
    ternary: {{ ternary "native" "classic" .NativeSidecars }}

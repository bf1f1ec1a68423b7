metadata:
  annotations:
    {{- range .Spec.Containers }}
    {{- if .SecurityContext }}
    {{- if .SecurityContext.RunAsUser }}
    {{ .Name }}-user: "{{ .SecurityContext.RunAsUser }}"
    {{- end }}
    {{- if .SecurityContext.Privileged }}
    {{ .Name }}-privileged: "said, be it false"
    {{- end }}
    {{- end }}
    {{- end }}
    {{- if .Spec.HostNetwork }}
    host: "1"
    {{- end }}
    {{- if .Spec.SecurityContext }}
    context: "1"
    {{- end }}
    {{- if .ProxyConfig.HoldApplicationUntilProxyStarts }}
    said: "1"
    {{- end }}
    {{- if .ProxyConfig.HoldApplicationUntilProxyStarts.GetValue }}
    hold: "1"
    {{- end }}
    account: {{ .Spec.ServiceAccountName | default "default" }}
    restart: "{{ .Spec.RestartPolicy }}"

spec:
  {{ if .NativeSidecars }}initContainers{{ else }}containers{{ end }}:
  - name: istio-proxy
    image: {{ .ProxyImage }}
    {{- if .NativeSidecars }}
    restartPolicy: Always
    {{- end }}
    securityContext:
      runAsUser: {{ .ProxyUID | default "1337" }}
      runAsGroup: {{ .ProxyGID | default "1337" }}
      readOnlyRootFilesystem: {{ not .NativeSidecars }}
    env:
    - name: STATUS_PORT
      value: "{{ .ProxyConfig.StatusPort }}"
    - name: TRUST_DOMAIN
      value: {{ .MeshConfig.TrustDomain }}
    - name: POLICY
      value: {{ .InboundTrafficPolicyMode }}

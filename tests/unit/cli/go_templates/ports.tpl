spec:
  containers:
  - name: agent
    image: agent
    livenessProbe:
      httpGet: {path: /live, port: {{ .Values.agent.port }}}
    readinessProbe:
      tcpSocket:
        port: {{ annotation .ObjectMeta `example.com/port` "8080" }}
    startupProbe:
      httpGet:
        path: /start
        port: {{ .Values.agent.portAsText }}

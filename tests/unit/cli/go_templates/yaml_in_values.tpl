metadata:
  annotations:
    number-as-text: {{ .Values.agent.quotedNumber }}
spec:
  nodeSelector:
    {{ .Values.agent.yamlText }}

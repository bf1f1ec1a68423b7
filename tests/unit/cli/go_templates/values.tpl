spec:
  containers:
  - name: agent
    image: "{{ .Values.global.hub }}/agent:{{ .Values.global.tag }}"
    args: ["--level", "{{ .Values.agent.level }}", --port={{ .Values.agent.port }}]
    env:
    - name: NAME
      value: {{ .Values.agent.name }}
    - name: PORT
      value: {{ .Values.agent.port | quote }}
    - name: DEBUG
      value: {{ .Values.agent.debug | quote }}
    - name: EMPTY
      value: {{ .Values.agent.empty }}
    - name: ABSENT
      value: {{ .Values.agent.absent | default "none" }}
    - name: OPTIONAL
      value: {{ .Values.agent.absent | quote }}
    ports:
    - containerPort: {{ .Values.agent.port }}
    resources:
      {{ toYaml .Values.agent.resources | indent 6 }}
    securityContext: {{- toYaml .Values.agent.securityContext | nindent 6 }}

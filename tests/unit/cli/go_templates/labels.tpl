metadata:
  labels:
    app: {{ index .ObjectMeta.Labels "app" }}
    name: {{ index .ObjectMeta.Labels `app.kubernetes.io/name` | default (index .ObjectMeta.Labels `app`) | default .DeploymentMeta.Name | trunc 63 | trimAll "-_." | quote }}
    version: "{{ index .ObjectMeta.Labels "version" }}"
    owner: {{ .DeploymentMeta.Name }}
    {{- if eq .TypeMeta.Kind "Job" "CronJob" }}
    runs: once
    {{- else if index .ObjectMeta.Labels "version" }}
    runs: {{ .ObjectMeta.Labels.version }}
    {{- else }}
    runs: {{ .Revision }}
    {{- end }}

metadata:
  annotations:
    printf: {{ printf "%s-%s" .DeploymentMeta.Name .DeploymentMeta.Namespace }}
    percent: {{ printf "%v%%" .Values.agent.port | quote }}
    count: {{ printf "%d" (len .Spec.Containers) | quote }}
    cut: {{ trunc 2 .DeploymentMeta.Name }}
    end: {{ trunc -2 .DeploymentMeta.Name }}
    prefix: {{ .DeploymentMeta.Name | upper | trimPrefix "W" }}
    replaced: {{ replace "e" "3" .DeploymentMeta.Name }}
    joined: {{ join "," .Values.agent.command }}
    split: {{ index (splitList "," "a,b,c") 1 }}
    first: {{ first .Values.agent.command }}
    encoded: {{ .DeploymentMeta.Name | b64enc }}

spec:
  containers:
  - name: agent
    image: agent
    stdin: yes
    tty: on
    securityContext:
      privileged: off
      runAsUser: 0x10
  terminationGracePeriodSeconds: 1_0
  volumes:
  - name: config
    configMap:
      name: config
      defaultMode: 0644

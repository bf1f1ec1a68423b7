"""Templates that yield what is no Pod: the template, the line that is to be named, and a part of the message."""

CONTAINER = "spec:\n  containers:\n  - name: p\n    image: i\n    "
SIDECAR = "spec:\n  sidecars:\n  - name: p\n    image: i\n    "


def container(text):
    return CONTAINER + text


def sidecar(text):
    return SIDECAR + text


# Kubernetes refuses each of these as a Pod, too (tests/cluster/test_validity.py).
INVALID = [
    ("spec: {containers: [{name: Proxy, image: i}]}", 1, "is 'Proxy', which is not a DNS label"),
    ("spec:\n  sidecars:\n  - image: i\n    name: my_proxy", 4, "initContainers[my_proxy].name is 'my_proxy'"),
    (f"spec: {{sidecars: [{{name: {'a' * 64}, image: i}}]}}", 1, "at most 63"),
    (container("imagePullPolicy: Sometimes"), 5, "allowed are Always, IfNotPresent, Never"),
    (container("ports:\n    - containerPort: 80\n    - containerPort: 70000"), 7, "is 70000; allowed are 1 to 65535"),
    (container("ports: [{containerPort: 80, protocol: tcp}]"), 5, "allowed are TCP, UDP, SCTP"),
    (container("ports: [{containerPort: 80, name: A_b}]"), 5, "at most 15 lower-case letters"),
    (container("ports: [{name: web}]"), 5, "containerPort"),
    (container("env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"), 5, "beside value"),
    (container("env: [{name: A, valueFrom: {secretKeyRef: {name: s}}}]"), 5, "key is missing"),
    (container("env: [{name: A, valueFrom: {}}]"), 5, "has nothing; one is needed"),
    (container("env: [{name: 'A=B', value: x}]"), 5, "has no '='"),
    (container("env: [{value: x}]"), 5, "env[0].name is missing"),
    (container("resources: {requests: {memory: 64MB}}"), 5, "is '64MB', which is no quantity"),
    (container("resources: {requests: {cpu: '-1'}}"), 5, "must not be negative"),
    (container("resources: {requests: {cpu: 2}, limits: {cpu: 1}}"), 5, "more than the limit of 1"),
    (container("livenessProbe: {periodSeconds: 5}"), 5, "has handlers: none"),
    (container("livenessProbe: {exec: {command: [a]}, httpGet: {port: 80}}"), 5, "has handlers: exec and httpGet"),
    (container("livenessProbe: {httpGet: {path: /}}"), 5, "port is missing"),
    (container("livenessProbe: {httpGet: {port: 0}}"), 5, "is 0; allowed are 1 to 65535"),
    (container("lifecycle: {preStop: {}}"), 5, "has handlers: none"),
    (container("securityContext: {runAsUser: -1}"), 5, "is -1; allowed are 0 to"),
    (container("volumeMounts: [{name: v, mountPath: /x}]"), 5, "volume 'v' is neither in the template nor in the Pod"),
    (
        "spec: {initContainers: [{name: p, image: i, livenessProbe: {exec: {command: [a]}}}]}",
        1,
        "init container that ends",
    ),
    ("spec: {volumes: [{name: V_x, emptyDir: {}}]}", 1, "is 'V_x', which is not a DNS label"),
    ("spec:\n  volumes:\n  - name: v\n    emptyDir: {}\n    configMap: {name: c}", 5, "second source beside emptyDir"),
    ("spec: {volumes: [{name: v, hostPath: {}}]}", 1, "path is missing"),
    ("spec: {volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]}", 1, "as is that of another volume"),
    ("spec: {restartPolicy: Sometimes}", 1, "allowed are Always, OnFailure, Never"),
    ("spec: {dnsPolicy: Nope}", 1, "allowed are ClusterFirst"),
    ("spec: {tolerations: [{operator: Nope}]}", 1, "allowed are Exists, Equal"),
    ("metadata:\n  labels:\n    ok: fine\n    bad: x y", 4, "is 'x y', which is not a label value"),
    ("metadata: {labels: {'a b': x}}", 1, "not a label key"),
    ("metadata: {annotations: {'a b': x}}", 1, "has the key 'a b'"),
]

# These are no matter of Kubernetes', or it would take them silently.
MISTAKEN = [
    ("containers: [{name: a, image: b}]", 1, "under metadata and spec"),
    ("metadata:\n  name: other", 2, "labels and annotations"),
    ("metadata: {finalizers: [example.org/x]}", 1, "labels and annotations"),
    ("kind: Deployment\nspec: {}", 1, "is a partial Pod"),
    (container("imgae: x"), 5, "Did you mean 'image'?"),
    ("spec: {containers: [{name: a}]}", 1, "gives no image"),
    ("spec: {containers: [{name: a, image: a}], sidecars: [{name: a, image: b}]}", 1, ""),
    ("spec:\n  containers:\n  - $patch: replace\n  - {name: p, image: i}", 2, "the Pod's own container"),
    ("spec: {$patch: delete}", 1, "the Pod's own container"),
    ("spec: {containers: [{$patch: nope, name: a}]}", 1, "unknown directive 'nope'"),
]

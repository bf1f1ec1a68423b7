"""Strategies: Pods, overlays and strategic merge patches, as varied as the API allows and small enough to read."""

from hypothesis import strategies as st

NAMES = ("app", "web", "log", "proxy", "init")
WORDS = st.sampled_from(
    ["a", "b", "on", "1", "{{ x }}", "x: y", "- z", "line\nbreak", '"', "'", "é", "\u2028", "#", ""]
)
WORD_MAPS = st.dictionaries(st.sampled_from(["app", "tier", "example.com/k", "x~y"]), WORDS, max_size=3)


def some(fields, *, required=()):
    """A dictionary with the required fields and any of the others."""
    return st.fixed_dictionaries(
        {key: fields[key] for key in required},
        optional={key: value for key, value in fields.items() if key not in required},
    )


def keyed(item, key, keys, max_size=3):
    """A list of items told apart by `key`, each key once."""
    return st.lists(st.sampled_from(keys), unique=True, max_size=max_size).flatmap(
        lambda chosen: st.tuples(*[item.map(lambda body, value=value: {**body, key: value}) for value in chosen]).map(
            list
        )
    )


QUANTITIES = st.sampled_from(["100m", "1", "2Gi"])
RESOURCES = some(
    {
        "limits": st.dictionaries(st.sampled_from(["cpu", "memory"]), QUANTITIES, max_size=2),
        "requests": st.dictionaries(st.sampled_from(["cpu", "memory"]), QUANTITIES, max_size=2),
    }
)
ENV = keyed(some({"value": WORDS}), "name", ("A", "B", "C", "D"))
PORTS = keyed(
    some({"name": st.sampled_from(["http", "metrics"]), "protocol": st.sampled_from(["TCP", "UDP"])}),
    "containerPort",
    (80, 8080, 9090),
)
MOUNTS = keyed(
    some({"name": st.sampled_from(["data", "tmp"]), "readOnly": st.booleans()}, required=("name",)),
    "mountPath",
    ("/a", "/b"),
)
SECURITY = some(
    {
        "runAsUser": st.integers(0, 9),
        "privileged": st.booleans(),
        "capabilities": some(
            {"add": st.lists(st.sampled_from(["NET_ADMIN", "CHOWN"]), max_size=2), "drop": st.just(["ALL"])}
        ),
    }
)
CONTAINER_FIELDS = {
    "image": st.sampled_from(["busybox:1", "example.com/log:2"]),
    "args": st.lists(WORDS, max_size=3),
    "env": ENV,
    "ports": PORTS,
    "volumeMounts": MOUNTS,
    "resources": RESOURCES,
    "securityContext": SECURITY,
    "tty": st.booleans(),
}
VOLUMES = keyed(
    st.one_of(
        st.just({"emptyDir": {}}),
        st.just({"configMap": {"name": "c"}}),
        st.just({"emptyDir": {"medium": "Memory"}}),
    ),
    "name",
    ("data", "tmp", "logs"),
)
TOLERATIONS = st.lists(some({"key": WORDS, "operator": st.just("Exists")}, required=("key",)), max_size=2)
METADATA_FIELDS = {
    "labels": WORD_MAPS,
    "annotations": WORD_MAPS,
    "finalizers": st.lists(st.sampled_from(["a/b", "c/d", "e/f"]), unique=True, max_size=3),
}
SPEC_FIELDS = {
    "volumes": VOLUMES,
    "tolerations": TOLERATIONS,
    "nodeSelector": WORD_MAPS,
    "imagePullSecrets": keyed(some({}), "name", ("s1", "s2", "s3")),
    "hostAliases": keyed(some({"hostnames": st.lists(WORDS, max_size=2)}), "ip", ("10.0.0.1", "10.0.0.2")),
    "securityContext": some({"runAsUser": st.integers(0, 9), "runAsNonRoot": st.booleans()}),
    "serviceAccountName": WORDS,
    "terminationGracePeriodSeconds": st.integers(0, 90),
    "topologySpreadConstraints": keyed(some({"maxSkew": st.integers(1, 3)}), "topologyKey", ("zone", "host")),
}


def containers(names=NAMES, min_size=0, required=("image",)):
    return keyed(some(CONTAINER_FIELDS, required=required), "name", names).filter(lambda items: len(items) >= min_size)


def pods():
    """Pods as the API server would send them: at least one container, names unique over both lists."""
    return st.builds(
        lambda metadata, spec, main, init: {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pod", "namespace": "default", **metadata},
            "spec": {**spec, "containers": main, **({"initContainers": init} if init else {})},
        },
        some(METADATA_FIELDS),
        some(SPEC_FIELDS),
        containers(("app", "web", "log"), min_size=1),
        containers(("init", "setup", "proxy")),
    )


FROM_FIELD = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
ODD_FIELDS = {
    **CONTAINER_FIELDS,
    "image": st.sampled_from(["auto", "busybox:1"]),
    "env": st.none()
    | st.lists(st.builds(lambda name, body: {"name": name, **body}, st.sampled_from("AB"), some({"value": WORDS})))
    | st.lists(st.builds(lambda name: {"name": name, **FROM_FIELD}, st.sampled_from("AB"))),
    "ports": st.none()
    | st.lists(
        st.builds(
            lambda port, protocol: {"containerPort": port, "protocol": protocol},
            st.sampled_from([53, 80]),
            st.sampled_from(["TCP", "UDP"]),
        )
    ),
    "livenessProbe": some({"periodSeconds": st.just(5), "exec": st.just({"command": ["x"]})}),
    "restartPolicy": st.just("Always"),
}


def odd_pods():
    """Pods of odd but legal shape: placeholders, variables and ports of one key twice, null maps and lists."""
    containers = some(ODD_FIELDS, required=("image",))
    return st.builds(
        lambda metadata, spec, main, init: {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pod", "namespace": "default", **metadata},
            "spec": {**spec, "containers": main, "initContainers": init},
        },
        some({**METADATA_FIELDS, "labels": WORD_MAPS | st.none(), "annotations": WORD_MAPS | st.none()}),
        some({**SPEC_FIELDS, "volumes": VOLUMES | st.none()}),
        keyed(containers, "name", ("app", "web", "log")).filter(bool),
        keyed(containers, "name", ("init", "setup", "proxy")) | st.none(),
    )


def _one_way_at_a_time(metadata):
    """Deleting from a set and adding to it at once has no defined order in Kubernetes' own merge."""
    return {
        k: v for k, v in metadata.items() if k != "finalizers" or "$deleteFromPrimitiveList/finalizers" not in metadata
    }


def patches():
    """Strategic merge patches: partial Pods with nulls and directives in them."""
    item = some({**CONTAINER_FIELDS, "$patch": st.just("delete")})
    metadata = some(
        {
            **METADATA_FIELDS,
            "labels": st.one_of(WORD_MAPS, st.none(), WORD_MAPS.map(lambda labels: {**labels, "$patch": "replace"})),
            "$deleteFromPrimitiveList/finalizers": st.sampled_from([["a/b"], ["e/f", "a/b"]]),
        }
    ).map(_one_way_at_a_time)
    spec = some(
        {
            **SPEC_FIELDS,
            "nodeSelector": st.dictionaries(st.sampled_from(["app", "tier"]), WORDS | st.none(), max_size=2),
            "securityContext": SPEC_FIELDS["securityContext"] | st.none(),
            "containers": keyed(item, "name", NAMES)
            | keyed(item, "name", NAMES).map(lambda items: [*items, {"$patch": "replace"}]),
            "initContainers": containers(required=()),
        }
    )
    ordered = VOLUMES.filter(bool).map(
        lambda volumes: {
            "volumes": volumes,
            "$setElementOrder/volumes": [{"name": v["name"]} for v in volumes] + [{"name": "x"}],
        }
    )
    return some({"metadata": metadata, "spec": spec | st.tuples(spec, ordered).map(lambda both: both[0] | both[1])})

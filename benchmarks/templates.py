"""Templates of any length, with what templates have: expressions, conditions, loops, constants."""

from typing import Any

from sidecar_injector import names

_HEAD = """\
spec:
  sidecars:
    - name: proxy
      image: example.org/proxy:{{ values.version }}
      resources: {{ values.resources }}
      env:
"""
_KINDS = (
    '        - name: V_{0}\n          value: "{{{{ values.version }}}}-{0}"\n',
    "        - name: V_{0}\n          value: \"{{{{ pod.metadata.annotations.get('example.org/v-{0}', 'none') }}}}\"\n",
    *(["        - name: V_{0}\n          value: constant {0}\n"] * 5),
    "{{%- if pod.metadata.labels.get('app') %}}\n"
    "        - name: V_{0}\n"
    '          value: "{{{{ pod.metadata.labels.app }}}}"\n'
    "{{%- endif %}}\n",
)


def template(lines: int, number: int = 0) -> str:
    """Return a template of about so many lines; each number gives another text."""
    text = _HEAD + f"# {number}\n"
    left, count = lines - text.count("\n"), 0
    while left > 0:
        part = _KINDS[count % len(_KINDS)].format(count)
        text, left, count = text + part, left - part.count("\n"), count + 1
    return text


def generic_resource(name: str, lines: int, number: int = 0) -> dict[str, Any]:
    """Return a config of profile Generic with such a template."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name, "uid": f"uid-{name}", "generation": 1, "resourceVersion": "1"},
        "spec": {
            "profile": "Generic",
            "match": {"namespaceSelector": {"matchLabels": {"istio-injection": "enabled"}}},
            "values": {"version": "1", "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}},
            "templates": [{"name": "proxy", "template": template(lines, number)}],
        },
    }

"""Writes the reference page of the template language from the registers, so that it is complete.

python -m sidecar_injector.templating.reference > docs/reference/templates.md
"""

import ast
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from sidecar_injector.templating import limits as limits_module
from sidecar_injector.templating.language import sandbox  # noqa: F401 - registers every entry
from sidecar_injector.templating.language.methods import METHODS
from sidecar_injector.templating.language.vocabulary import FILTERS, FUNCTIONS, TESTS, Entry
from sidecar_injector.templating.limits import Limits
from sidecar_injector.templating.template import compile_template
from sidecar_injector.templating.yaml12.dump import dump_yaml

VARIABLES: Sequence[tuple[str, str]] = (
    (
        "pod",
        "The Pod as its user wrote it. `metadata.labels` and `metadata.annotations` are always maps, `spec.containers`,"
        " `spec.initContainers` and `spec.volumes` always lists.",
    ),
    ("namespace", "The Pod's namespace: `name`, `labels`, `annotations`."),
    ("workload", "What the Pod belongs to: `apiVersion`, `kind`, `name`."),
    ("values", "`spec.values` of the SidecarInjectorConfig."),
    ("meshConfig", "`spec.meshConfig` of the SidecarInjectorConfig."),
    ("proxyConfig", "`defaultConfig` of the mesh config, or an empty map."),
    ("revision", "The config's revision."),
    ("nativeSidecars", "Whether sidecars are injected as init containers with `restartPolicy: Always`."),
    ("cluster", "The cluster: `version` is the API server's."),
    ("config", "The SidecarInjectorConfig: `name`."),
    (
        "overrides",
        "What Namespace and Pod have turned of `spec.overrides`, by name and with its type, else the default; one "
        "without either is not there.",
    ),
    ("omit", "Drops the key or the list item that it is printed for."),
)
"""Variables that every template can use, with what they hold."""


@dataclass(frozen=True)
class Example:
    """A template that the page shows together with what it renders to."""

    text: str
    template: str


_CONTEXT: Mapping[str, object] = {
    "pod": {
        "metadata": {
            "name": "web",
            "labels": {"app": "web"},
            "annotations": {"example.com/motd": 'say "hi": [yes]\n- no'},
        },
        "spec": {
            "containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 8080}]}],
            "initContainers": [],
            "volumes": [],
        },
    },
    "namespace": {"name": "shop", "labels": {"team": "blue"}, "annotations": {}},
    "values": {
        "image": "proxy:1.2",
        "port": 15001,
        "resources": {"requests": {"cpu": "100m"}},
        "env": {"A": "1", "B": "x: y"},
    },
    "revision": "main",
}

EXAMPLES: Mapping[str, Example] = {
    "values": Example(
        "A printed value keeps its type, and can hold any character; nothing has to be quoted, escaped or indented:",
        """\
spec:
  containers:
    - name: proxy
      image: {{ values.image }}
      args: [--port, "{{ values.port }}"]
      ports:
        - containerPort: {{ values.port }}
      resources: {{ values.resources }}
      env:
        - name: MOTD
          value: {{ pod.metadata.annotations["example.com/motd"] }}
""",
    ),
    "omit": Example(
        "`omit` drops its key or list item, so that optional fields need no `if`:",
        """\
metadata:
  labels:
    team: {{ namespace.labels.team | default(omit) }}
    owner: {{ namespace.labels.owner | default(omit) }}
spec:
  priorityClassName: {{ values.priorityClass | default(omit) }}
""",
    ),
    "loops": Example(
        "Loops and conditions make structure; a line that holds only a statement leaves no trace:",
        """\
spec:
  containers:
    - name: proxy
      env:
{% for name, value in values.env.items() %}
        - name: {{ name }}
          value: {{ value }}
{% endfor %}
{% if "web" in pod.spec.containers | map(attribute="name") %}
        - name: WITH_WEB
          value: "true"
{% endif %}
""",
    ),
    "macros": Example(
        "The text of a macro or of a `set` block is template text: printed, it is structure. `trim` and `indent`\n"
        "keep it that; anything else takes it as text:",
        """\
{% macro variable(name, value) %}
- name: {{ name }}
  value: "{{ value }}"
{% endmacro %}
spec:
  containers:
    - name: proxy
      env:
        {{ variable("PORT", values.port) | trim | indent(8) }}
        {{ variable("APP_PORTS", pod.spec.containers | container_ports | join(",")) | trim | indent(8) }}
""",
    ),
}

_HEAD = """\
# Templates

<!-- Written by `python -m sidecar_injector.templating.reference`; change it there. -->

A template is [Jinja2](https://jinja.palletsprojects.com/en/stable/templates/) that prints the YAML of a partial Pod. It
renders **data, not text**: `{{ … }}` stands for one value and never becomes YAML syntax.
"""

_PROFILES = """\
In profile Istio templates see [more, and some of these otherwise](istio-templates.md).
"""

_RULES = """\
## What a printed value becomes

| where it is printed | what becomes of it |
|---|---|
| alone, without quotes: `port: {{ x }}` | the value with its type: number, text, true, false, null, map or list |
| in quotes or a block: `port: "{{ x }}"` | text; maps and lists as compact JSON, null as `null` |
| in a longer text: `image: {{ hub }}/proxy:{{ tag }}` | text, always |
| as a key: `{{ x }}: 1` | text; a key that is there twice is an error |
| in a comment | nothing |
| alone, and it is `omit` | the key or list item is dropped |

## YAML

The YAML around the values is read as YAML 1.2: `on`, `yes`, `22:22` and `2026-01-01` are text. An error are: keys that
are there twice, keys that are no text (`80:`), numbers with a leading zero (`0644`: write `0o644`, or quotes), `.inf`
and `.nan`, merge keys (`<<`), unknown tags, more than one document. The whole must be a map; an empty template is an
empty map.

## Differences from Jinja

- Undefined values are errors when they are used. A field of something undefined is undefined too, so
  `pod.spec.securityContext.runAsUser | default(0)` works whether the user or the whole context is missing.
- `a.b` looks up the key `b` of a map, and nothing else; `a.b(…)` calls a [method](#methods).
- A loop runs over lists and maps, not over the characters of a text.
- A line that holds only statements or comments leaves no trace; every other line keeps its indentation and its end.
- There is no `include`, `import`, `extends` and `block`: a template is complete in itself.
- Text is compared, sorted and made unique with upper and lower case apart.
- Filters that can take endless time or memory, or whose result is not always the same, are left out.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    sections = [
        _HEAD,
        _example("values"),
        "## Variables\n\n" + table(("variable", "meaning"), ((f"`{name}`", doc) for name, doc in VARIABLES)),
        _PROFILES,
        _RULES,
        "## Examples\n\n" + "\n".join(_example(name) for name in ("omit", "loops", "macros")),
        _entries("Filters", "filter", FILTERS),
        _entries("Tests", "test", TESTS),
        _entries("Functions", "function", FUNCTIONS),
        "## Methods\n\n" + "\n".join(_methods(kind) for kind in METHODS),
        _limits(),
    ]
    return "\n".join(sections)


def _example(name: str) -> str:
    example = EXAMPLES[name]
    rendered = dump_yaml(compile_template(f"example/{name}", example.template).render(_CONTEXT).tree)
    return f"{example.text}\n\n```jinja\n{example.template}```\n\nrenders to\n\n```yaml\n{rendered}```\n"


def _entries(title: str, kind: str, entries: Iterable[Entry]) -> str:
    return f"## {title}\n\n" + table((kind, "what it gives"), _rows(entries))


def _methods(kind: str) -> str:
    register = METHODS[kind]
    return f"Methods of {kind}:\n\n" + table(("method", "what it gives"), _rows(register))


def _rows(entries: Iterable[Entry]) -> Iterable[tuple[str, str]]:
    by_function: dict[object, list[Entry]] = {}
    for entry in entries:
        by_function.setdefault(entry.function, []).append(entry)
    for same in by_function.values():
        others = ", ".join(f"`{entry.name}`" for entry in same[1:])
        yield f"`{same[0].usage}`", same[0].doc + (f" Also {others}." if others else "")


def _limits() -> str:
    docs = _attribute_docs(Limits)
    rows = ((f"{getattr(Limits(), limit.name):,}", docs[limit.name]) for limit in fields(Limits))
    text = "A template that goes beyond a limit is refused with the line where it does:\n\n"
    return "## Limits\n\n" + text + table(("at most", "of what"), rows)


def _attribute_docs(kind: type) -> dict[str, str]:
    """Return the texts that follow a class's attributes in its source."""
    tree = ast.parse(inspect.getsource(limits_module))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    return {
        attribute.target.id: text.value.value
        for attribute, text in pairwise(body)
        if isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")

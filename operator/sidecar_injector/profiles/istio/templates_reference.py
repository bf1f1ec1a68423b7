"""Writes the reference page of what templates see in profile Istio, from the tables and the defaults themselves.

python -m sidecar_injector.profiles.istio.templates_reference > docs/reference/istio-templates.md
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from sidecar_injector.profiles.istio import described, described_values, proxy_config, translated
from sidecar_injector.profiles.istio.described import Described
from sidecar_injector.profiles.istio.mesh import MESH_DEFAULTS
from sidecar_injector.profiles.istio.proxy_config_fields import FIELDS, Field, Kind, Shape
from sidecar_injector.profiles.istio.reading import at
from sidecar_injector.profiles.istio.settings import VALUES
from sidecar_injector.profiles.istio.translated import Translated
from sidecar_injector.templating.reference import table

_HEAD = """\
# What templates see in profile Istio

<!-- Written by `python -m sidecar_injector.profiles.istio.templates_reference`; change it there. -->

A template of profile Istio sees all that [every template sees](templates.md#variables), and what is described here. It
is worked out for the Pod before a template asks: which annotation beats which value is no template's concern. All
templates of a Pod see the Pod as its author wrote it, not what another template adds.

Who writes templates for Istio finds [at the end](#from-istios-templates) what its functions and data are called here.
"""

_VALUES = """\
`spec.values`, in the shape of the document `values` of Istio's ConfigMap `istio-sidecar-injector`. What a config leaves
out has the default below; maps are merged with their defaults, everything else is replaced, and null is as good as
nothing. `resources` have no default: Istio's chart gives them, so a pasted document has them.
What is not listed means nothing to profile and stock templates; your own templates see it as it is.
"""

_MESH = """\
`spec.meshConfig`, in the shape of the document `mesh` of Istio's ConfigMap `istio`, with the names that its fields have
in JSON (`enablePrometheusMerge`) or in protobuf (`enable_prometheus_merge`); templates see the former. The injection
goes by these fields:
"""

_PROXY_CONFIG = """\
The fields that are known, in the order in which `proxy.config` has them. What is not listed is passed on to the proxy
as it is, with a warning to the Pod's author if it stands in the annotation. A field of one layer takes the place of the
same field below; only `proxyMetadata` and `proxyHeaders` are merged key by key. Fields without a default are undefined
where nobody sets them: write `proxyConfig.concurrency | default(2)`.
"""

_TRANSLATION = """\
## From Istio's templates

Istio's templates print text, which then is read as YAML; ours [render data](templates.md). Most of what their functions
are for (quotes, indentation, JSON that is YAML by chance) has no counterpart, because nothing can go wrong there.

A container under `spec.sidecars` becomes a native sidecar or an ordinary container, as Pod, config and nodes have it. A
template that changes `istio-proxy` finds it wherever it is, and whichever comes first.
"""

_LONGEST = 60
_COLUMNS = ("name", "kind", "meaning", "where it comes from")


def page() -> str:
    """Return the whole page as Markdown."""
    sections = [
        _HEAD,
        _section("## Variables", described.VARIABLES, ""),
        _section("## proxy", described.PROXY, "proxy."),
        _section("### proxy.capture", described.CAPTURE, "proxy.capture."),
        _section("### proxy.readiness", described.READINESS, "proxy.readiness."),
        _section("## workload", described.WORKLOAD, "workload."),
        f"## values\n\n{_VALUES}\n{table(('value', 'default', 'meaning'), _values())}",
        f"## meshConfig\n\n{_MESH}\n{table(('field', 'default', 'meaning'), _mesh())}\n{_rest_of_mesh()}",
        f"## proxyConfig\n\n{_PROXY_CONFIG}\n{table(('field', 'kind', 'default'), _proxy_config())}",
        _TRANSLATION,
        _translations("### Data", translated.DATA),
        _translations("### Functions of Istio", translated.FUNCTIONS),
        _translations("### Functions of Go and Sprig", translated.LANGUAGE),
        f"### Statements\n\n{table(('Istio', 'here'), map(_codes, translated.STATEMENTS))}",
    ]
    return "\n".join(sections)


def _section(title: str, rows: Sequence[Described], prefix: str) -> str:
    return f"{title}\n\n" + table(
        _COLUMNS, ((f"`{prefix}{row.name}`", row.kind, row.meaning, row.source) for row in rows)
    )


def _values() -> Iterator[tuple[str, str, str]]:
    for path, meaning in described_values.VALUES_MEANING.items():
        yield f"`{path}`", _default(at(VALUES, *path.split("."))), meaning


def _mesh() -> Iterator[tuple[str, str, str]]:
    for name, meaning in described_values.MESH_MEANING.items():
        yield f"`{name}`", _default(MESH_DEFAULTS[name]), meaning


def _rest_of_mesh() -> str:
    others = ", ".join(f"`{name}`" for name in MESH_DEFAULTS if name not in described_values.MESH_MEANING)
    return f"Of the others, these have Istio's default if they are not given: {others}.\n"


def _default(value: object) -> str:
    """Return a default as the page shows it: nothing if there is none, or if it is empty."""
    if value is None or value in ("", {}, []):
        return ""
    text = json.dumps(value)
    return f"`{text}`" if len(text) <= _LONGEST else "Istio's"


def _proxy_config() -> Iterator[tuple[str, str, str]]:
    for name, known in FIELDS.items():
        yield f"`{name}`", _kind(known), _default(proxy_config.DEFAULTS.get(name))


def _kind(known: Field) -> str:
    single = ", ".join(known.values) if known.kind is Kind.ENUM else _KINDS[known.kind]
    return {Shape.ONE: single, Shape.LIST: f"list of {single}", Shape.MAP: f"map of {single}"}[known.shape]


_KINDS: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.FLAG: "true or false",
    Kind.NUMBER: "number",
    Kind.INT32: "whole number",
    Kind.UINT32: "whole number",
    Kind.INT64: "text of a whole number",
    Kind.DURATION: "duration, such as `45s`",
    Kind.MESSAGE: "map",
}


def _translations(title: str, rows: Sequence[Translated]) -> str:
    found = ((f"`{row.theirs}`", f"`{row.ours}`" if row.ours else "", row.note) for row in rows)
    return f"{title}\n\n{table(('Istio', 'here', 'note'), found)}"


def _codes(row: Sequence[str]) -> list[str]:
    return [f"`{cell}`" for cell in row]


if __name__ == "__main__":
    print(page(), end="")

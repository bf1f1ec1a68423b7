"""What an author of Istio's templates knows, and what it is here: rows for the reference page.

A test renders every expression of ours. Source of theirs: the functions and the data of Istio's injection templates,
and https://masterminds.github.io/sprig/.
"""

from typing import NamedTuple


class Translated(NamedTuple):
    """A name or an expression of Istio's templates, an expression of ours that gives the same, and what to know.

    `ours` is empty where there is none, and then `note` tells what to do.
    """

    theirs: str
    ours: str
    note: str = ""


DATA: tuple[Translated, ...] = (
    Translated(".TypeMeta.APIVersion", "workload.apiVersion"),
    Translated(".TypeMeta.Kind", "workload.kind"),
    Translated(".DeploymentMeta.Name", "workload.name"),
    Translated(".DeploymentMeta.Namespace", "workload.namespace"),
    Translated(".ObjectMeta", "pod.metadata", "`labels` and `annotations` are always there"),
    Translated(".Spec", "pod.spec", "`containers`, `initContainers` and `volumes` are always there"),
    Translated(".ProxyConfig", "proxyConfig"),
    Translated(".MeshConfig", "meshConfig"),
    Translated(".Values", "values"),
    Translated(".Revision", "revision"),
    Translated(".NativeSidecars", "nativeSidecars", "seldom needed: see below"),
    Translated(".ProxyImage", "proxy.image"),
    Translated(".ProxyInitImage", "proxy.initImage"),
    Translated(".ProxyUID", "proxy.uid"),
    Translated(".ProxyGID", "proxy.gid"),
    Translated(".InboundTrafficPolicyMode", "proxy.inboundTrafficPolicy"),
    Translated(".CompliancePolicy", "proxy.compliancePolicy"),
)
"""What Istio gives to a template."""

FUNCTIONS: tuple[Translated, ...] = (
    Translated('annotation .ObjectMeta "k" "d"', 'pod.metadata.annotations.get("k", "d")'),
    Translated('isset .ObjectMeta.Annotations "k"', '"k" in pod.metadata.annotations'),
    Translated('valueOrDefault v "d"', 'v if v not in ["", none] else "d"', 'of text shorter: `v or "d"`'),
    Translated("excludeInboundPort ports port", "proxy.capture.excludeInboundPorts", "the port is in it"),
    Translated("includeInboundPorts containers", 'pod.spec.containers | container_ports | join(",")'),
    Translated("applicationPorts containers", 'pod.spec.containers | container_ports | join(",")'),
    Translated("kubevirtInterfaces text", 'proxy.capture.rerouteInterfaces | default("")'),
    Translated("excludeInterfaces text", 'proxy.capture.excludeInterfaces | default("")'),
    Translated("toJSON m", "m | to_json"),
    Translated("fromJSON s", "s | from_json"),
    Translated("structToJSON x", "m | to_json"),
    Translated("protoToJSON .ProxyConfig", "proxy.config", "with a line end: put `| trim` behind it to have none"),
    Translated("toYaml m | indent 4", "m", "printed alone, it keeps its structure and finds its indentation"),
    Translated("omitNil m", "m | omit_null"),
    Translated("formatDuration .ProxyConfig.DrainDuration", "proxyConfig.drainDuration | duration | format_duration"),
    Translated("directory path", '"%s/" | format(path | dirname)', "in a text: `{{ path | dirname }}/`"),
    Translated('contains "needle" s', '"needle" in s'),
    Translated("toLower s", "s | lower"),
    Translated('omit m "k"', 'm | without("k")'),
    Translated('strdict "k" v', '{"k": v}'),
    Translated("mergeMaps m n", "m | merge(n)"),
    Translated("toJsonMap m n", "m | merge(n) | to_json"),
    Translated('appendMultusNetwork text "default/istio-cni"', "proxy.networks"),
    Translated("otelResourceAttributes …", "proxy.otelResourceAttributes"),
    Translated(
        "env KEY default", "", "there is none: the environment of the operator is no template's business; use `values`"
    ),
)
"""Functions that Istio adds."""

LANGUAGE: tuple[Translated, ...] = (
    Translated("default d v", "v | default(d, true)"),
    Translated("quote v", "v | string", 'printed in quotes, `"{{ v }}"`, any value is text'),
    Translated("trunc 63 s", "s[:63]"),
    Translated('trimAll "-_." s', 's | trim("-_.")'),
    Translated('join "," l', 'l | join(",")'),
    Translated("list a b", "[a, b]"),
    Translated("append l a", "l + [a]"),
    Translated('printf "%s:%d" s a', '"%s:%d" | format(s, a)', "or as text: `{{ s }}:{{ a }}`"),
    Translated("nindent 4, indent 4", "", "nothing: lines are indented where the template indents them"),
    Translated('index m "k"', 'm["k"]', '`m.get("k")` if it may be missing'),
    Translated("len l", "l | length"),
    Translated("eq a b, ne a b, ge a b", "a == b", "`!=`, `>=`"),
    Translated("and a b, or a b, not a", "a and b", "`or`, `not`"),
)
"""What templates in Go have, with Sprig's functions."""

STATEMENTS: tuple[tuple[str, str], ...] = (
    ("{{ if x }} … {{ else }} … {{ end }}", "{% if x %} … {% else %} … {% endif %}"),
    ("{{ range $i, $c := .Spec.Containers }} … {{ end }}", "{% for c in pod.spec.containers %} … {% endfor %}"),
    ("{{ range $k, $v := m }} … {{ end }}", "{% for k, v in m | dictsort %} … {% endfor %}"),
    ("{{ $x := … }}", "{% set x = … %}"),
    ("{{ with x }} … {{ end }}", "{% if x %} … {% endif %}"),
    ('{{ define "f" }} … {{ end }}, {{ template "f" x }}', "{% macro f(x) %} … {% endmacro %}, {{ f(x) }}"),
    ("{{/* remark */}}", "{# remark #}"),
    ("{{- … -}}", "{{ … }}"),
    ("{{ if .NativeSidecars }}initContainers{{ else }}containers{{ end }}:", "sidecars:"),
)
"""Statements: theirs and ours."""

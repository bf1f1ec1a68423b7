"""SidecarInjectorConfigs that are accepted: one table for the parser and for the real API server."""

from typing import Any

from tests.unit.config.resources import (
    MINIMAL,
    edited,
    requirement,
    templates,
    with_match,
    with_overrides,
    with_spec,
    with_template,
)

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("minimal", MINIMAL),
    ("longest name", edited(metadata__name="a" * 63)),
    ("one-character name", edited(metadata__name="1")),
    ("nulls are absent fields", with_spec(revision=None, mode=None, match=None, aliases=None, values=None, order=None)),
    ("nulls inside a template", with_template(delimiters=None, position=None)),
    ("null label values are absent", with_match(podSelector={"matchLabels": {"a": None, "b": "c"}})),
    (
        "null values of a requirement",
        with_match(podSelector={"matchExpressions": [{"key": "a", "operator": "Exists", "values": None}]}),
    ),
    ("whole number with a fraction of zero", with_spec(timeoutSeconds=5.0)),
    ("numbers at their lower bounds", with_spec(timeoutSeconds=1, order=0, revisionHistoryLimit=0)),
    ("numbers at their upper bounds", with_spec(timeoutSeconds=30, order=1000, revisionHistoryLimit=100)),
    (
        "every choice",
        with_spec(
            profile="Generic",
            mode="Audit",
            sidecarMode="Native",
            conflictPolicy="Reject",
            failurePolicy="Ignore",
            reinvocationPolicy="Never",
        ),
    ),
    ("other choices", with_spec(mode="Disabled", sidecarMode="Classic", conflictPolicy="Skip")),
    ("profile Istio", with_spec(profile="Istio")),
    ("profile Generic", with_spec(profile="Generic")),
    ("null namespaceSelector", with_match(namespaceSelector=None)),
    ("null namespaceSelector in profile Generic", with_spec(profile="Generic", match={"namespaceSelector": None})),
    ("namespaceSelector in profile Istio", with_match(namespaceSelector={"matchLabels": {"team": "a"}})),
    ("policy Disabled", with_match(policy="Disabled")),
    ("empty namespaceSelector with Ignore", edited(spec__failurePolicy="Ignore", spec__match__namespaceSelector={})),
    (
        "every operator",
        with_match(
            podSelector={
                "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["x", ""]},
                    {"key": "example.com/b", "operator": "NotIn", "values": ["y"]},
                    {"key": "c", "operator": "Exists"},
                    {"key": "d", "operator": "DoesNotExist", "values": []},
                ]
            }
        ),
    ),
    ("label with a long prefix", with_match(podSelector={"matchLabels": {f"{'a' * 253}/{'b' * 63}": "c" * 63}})),
    ("label key in capitals", with_match(podSelector={"matchLabels": {"App.kubernetes_Io": "Web-1.2_3"}})),
    (
        "condition",
        with_match(
            conditions=[{"name": "not-a-build", "expression": "true"}, {"name": "example.com/b", "expression": "x"}]
        ),
    ),
    (
        "neverInject and alwaysInject",
        with_match(neverInject=[requirement("Exists")], alwaysInject=[{"matchLabels": {"a": ""}}]),
    ),
    ("empty lists", with_spec(aliases=[], defaultTemplates=[])),
    ("position at", with_template(position={"at": "First"})),
    ("position before", with_template(position={"before": ["app", "web"]})),
    ("position after", with_template(position={"after": ["app"]})),
    ("empty position", with_template(position={})),
    ("square brackets", with_template(delimiters="Square")),
    ("32 templates", with_spec(templates=templates(*(f"t{i}" for i in range(32))))),
    ("largest template", with_template(template="#" * 131072)),
    ("template of wide characters", with_template(template="ü" * 131072)),
    (
        "aliases",
        with_spec(
            templates=templates("a", "b"),
            aliases=[{"name": "both", "templates": ["b", "a"]}],
            defaultTemplates=["both", "a"],
        ),
    ),
    (
        "free values",
        with_spec(values={"a": [1, None, {"b": 1.5, "": True}], "x-y/z": "ü"}, meshConfig={"defaultConfig": {}}),
    ),
    ("deep values", with_spec(values={"a": {"b": {"c": {"d": [[[[["e"]]]]]}}}})),
    ("other metadata", edited(metadata__labels={"a": "b"}, metadata__annotations={"c": "d"})),
    ("no guardrails", with_spec(guardrails=None)),
    ("guardrails that allow nothing", with_spec(guardrails={"allow": []})),
    (
        "guardrails that allow everything",
        with_spec(
            guardrails={
                "allow": ["ServiceAccount", "AddedCapabilities", "HostNamespaces", "HostPath", "Privileged"],
            }
        ),
    ),
    (
        "an override of every type",
        with_overrides(
            {"name": "text", "type": "String"},
            {"name": "0", "type": "String", "enum": ["a", ""], "default": "a", "from": None},
            {"name": "like", "type": "String", "pattern": "^[a-z]+$", "maxLength": 9, "default": "x"},
            {"name": "count", "type": "Integer", "minimum": 1, "maximum": "10", "default": 5.0, "from": ["Pod"]},
            {"name": "ratio", "type": "Number", "minimum": "0.25", "maximum": 1, "default": "0.5"},
            {"name": "debug", "type": "Boolean", "default": "false", "from": ["Pod", "Namespace"]},
            {"name": "cpu", "type": "Quantity", "minimum": "10m", "maximum": 2, "default": "100m"},
            {"name": "wait", "type": "Duration", "minimum": "0", "maximum": "1m", "from": ["Namespace"]},
            {"name": "x" * 63, "type": "Boolean", "description": "About it."},
        ),
    ),
]

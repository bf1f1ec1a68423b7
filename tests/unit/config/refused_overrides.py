"""Guardrails and overrides that are refused, by the parser and by the real API server."""

from typing import Any

from tests.unit.config.resources import Refused, with_overrides, with_spec


def _override(title: str, field: str, message: str, **fields: Any) -> Refused:
    """A resource with one override that is right but for some fields."""
    given = {"name": "level", "type": "String", **fields}
    return Refused(
        title,
        with_overrides({name: value for name, value in given.items() if value is not ...}),
        f"spec.overrides[0]{field}",
        message,
    )


REFUSED_OVERRIDES: list[Refused] = [
    Refused("guardrails are a list", with_spec(guardrails=["HostPath"]), "spec.guardrails", "an object is expected"),
    Refused(
        "unknown field of the guardrails",
        with_spec(guardrails={"allowed": []}),
        "spec.guardrails.allowed",
        "did you mean allow?",
    ),
    Refused(
        "unknown guardrail",
        with_spec(guardrails={"allow": ["hostpath"]}),
        "spec.guardrails.allow[0]",
        "is 'hostpath'; allowed: Privileged, HostPath, HostNamespaces, AddedCapabilities, ServiceAccount; "
        "did you mean HostPath?",
    ),
    Refused(
        "a guardrail twice",
        with_spec(guardrails={"allow": ["HostPath", "HostPath"]}),
        "spec.guardrails.allow[1]",
        "'HostPath' is given again",
    ),
    _override("override without a name", ".name", "is missing", name=...),
    _override("override without a type", ".type", "is missing", type=...),
    _override("override with a name in capitals", ".name", "not a DNS label", name="logLevel"),
    _override("override with a prefix", ".name", "not a DNS label", name="example.org/level"),
    _override("override called inject", ".name", "sidecarinjector.dev/inject is the injector's own", name="inject"),
    _override("override called status", ".name", "sidecarinjector.dev/status is the injector's own", name="status"),
    _override("override called replica", ".name", "not allowed: config, inject", name="replica"),
    _override("override of an unknown type", ".type", "did you mean Integer?", type="integer"),
    _override("unknown field of an override", ".maximun", "unknown field; did you mean maximum?", maximun=3),
    Refused(
        "an override twice",
        with_overrides({"name": "a", "type": "String"}, {"name": "a", "type": "Integer"}),
        "spec.overrides[1]",
        "'a' is given again",
    ),
    _override("enum of a number", ".enum", "is for type String only; the type is Integer", type="Integer", enum=["1"]),
    _override("pattern of a number", ".pattern", "is for type String only", type="Number", pattern="1"),
    _override("length of a switch", ".maxLength", "is for type String only", type="Boolean", maxLength=5),
    _override("bounds of a text", ".minimum", "is for type Integer, Number, Quantity, Duration only", minimum=1),
    _override("bounds of a switch", ".maximum", "the type is Boolean", type="Boolean", maximum="true"),
    _override("empty enum", ".enum", "has 0 items; at least 1", enum=[]),
    _override("the same in an enum twice", ".enum[1]", "'a' is given again", enum=["a", "a"]),
    _override("a number in an enum", ".enum[0]", "is the number 1; text is expected; put it in quotes", enum=[1]),
    _override("empty pattern", ".pattern", "is empty; a pattern is needed", pattern=""),
    _override("pattern too long", ".pattern", "has 257 characters; at most 256", pattern="a" * 257),
    _override("no room for a character", ".maxLength", "is 0; allowed: 1 to 1024", maxLength=0),
    _override("too much room", ".maxLength", "is 1025; allowed: 1 to 1024", maxLength=1025),
    _override(
        "default is a switch", ".default", "is true; text is expected; put it in quotes", type="Boolean", default=True
    ),
    _override("default has a fraction", ".default", "put it in quotes", type="Number", default=0.5),
    _override("default is a list", ".default", "is a list; text is expected", default=["a"]),
    _override("default too long", ".default", "has 1025 characters", default="a" * 1025),
    _override("from nobody", ".from", "has 0 items; at least 1", **{"from": []}),
    _override("from somebody else", ".from[0]", "is 'Node'; allowed: Namespace, Pod", **{"from": ["Node"]}),
    _override("from the Pod twice", ".from[1]", "'Pod' is given again", **{"from": ["Pod", "Pod"]}),
    _override("description is a number", ".description", "is the number 5; text is expected", description=5),
    Refused(
        "too many overrides",
        with_overrides(*({"name": f"o{i}", "type": "String"} for i in range(33))),
        "spec.overrides",
        "has 33 items; at most 32",
    ),
]

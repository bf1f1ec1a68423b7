"""From YAML nodes to plain JSON values, for text that holds no markers."""

import json

from sidecar_injector.templating.yaml12.compose import MappingNode, Node, ScalarNode, SequenceNode, YamlProblem
from sidecar_injector.templating.yaml12.scalars import ScalarProblem, resolve_core, resolve_manifest

MERGE_KEY = "<<"
_TYPE_NAMES = {type(None): "null", bool: "bool", int: "int", float: "float", str: "str"}


def construct(node: Node, *, manifest: bool = False) -> object:
    """Build the value of a document.

    Args:
        node: the document's root.
        manifest: read it as kubectl does, not by the core schema; merge keys and keys that are numbers are allowed.

    Raises:
        YamlProblem: duplicate keys, keys that are not text, merge keys, numbers that JSON cannot hold.
    """
    if isinstance(node, ScalarNode):
        return scalar_value(node, manifest=manifest)
    if isinstance(node, SequenceNode):
        return [construct(item, manifest=manifest) for item in node.items]
    assert isinstance(node, MappingNode)
    merged: dict[str, object] = {}
    own: dict[str, object] = {}
    for key_node, value_node in node.entries:
        if manifest and key_node.plain and key_node.text == MERGE_KEY:
            _merge(merged, value_node)
            continue
        key = key_text(key_node, manifest=manifest)
        if key in own:
            raise duplicate_key(key, key_node)
        own[key] = construct(value_node, manifest=manifest)
    return {**merged, **own}


def duplicate_key(key: str, node: ScalarNode) -> YamlProblem:
    """Return the problem of a key that is there twice."""
    return YamlProblem(f"the key {json.dumps(key)} is there twice", "delete one of the two", node.line, node.column)


def key_text(node: ScalarNode, *, manifest: bool = False) -> str:
    """Return the text of a key that holds no markers; raises YamlProblem if it is not text, or a merge key."""
    key = scalar_value(node, manifest=manifest)
    if isinstance(key, str):
        if node.plain and key == MERGE_KEY:
            raise YamlProblem("merge keys (`<<`) are not supported", "write the entries out", node.line, node.column)
        return key
    if manifest and isinstance(key, bool | int | float):
        return json.dumps(key)
    problem = f"the key {node.text or 'null'} is not text"
    raise YamlProblem(problem, f'put it in quotes: "{node.text}"', node.line, node.column)


def scalar_value(node: ScalarNode, *, manifest: bool = False) -> object:
    """Return a scalar's value; raises YamlProblem, also when a tag demands a type that the text does not have."""
    if node.tag == "str" or (not node.plain and not node.tag):
        return node.text
    try:
        value = resolve_manifest(node.text) if manifest else resolve_core(node.text)
    except ScalarProblem as problem:
        raise YamlProblem(problem.problem, problem.remedy, node.line, node.column) from problem
    if node.tag == "float" and type(value) is int:
        return float(value)
    if node.tag and node.tag != _TYPE_NAMES[type(value)]:
        words = f"the tag !!{node.tag} does not fit {json.dumps(node.text[:40])}"
        raise YamlProblem(words, "delete the tag", node.line, node.column)
    return value


def _merge(merged: dict[str, object], node: Node) -> None:
    for source in node.items if isinstance(node, SequenceNode) else [node]:
        if not isinstance(source, MappingNode):
            raise YamlProblem("a merge key (`<<`) takes a map or a list of maps", "merge a map", node.line, node.column)
        members = construct(source, manifest=True)
        assert isinstance(members, dict)
        for name, value in members.items():
            merged.setdefault(name, value)

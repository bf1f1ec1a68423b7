"""What the security page says of the operator's rights is what its manifest grants."""

import re
from pathlib import Path

import yaml

from sidecar_injector import names
from tests.cluster.rights import Right, granted

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
SECTION = PAGE.partition("## Why it may do what it may\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip(" `") for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", SECTION, re.M)[2:]
]
RBAC = list(yaml.safe_load_all((ROOT / "manifests" / "base" / "rbac.yaml").read_text()))


def listed(cell: str) -> list[str]:
    return [] if cell == "any" else cell.split(", ")


def role(row: list[str]) -> dict[str, object]:
    """The role that a row of the table describes, with its one rule."""
    where, group, resources, found, verbs, _ = row
    rule = {"apiGroups": ["" if group == "core" else group], "resources": listed(resources), "verbs": listed(verbs)}
    rule |= {"resourceNames": listed(found)} if listed(found) else {}
    kind = {"kind": "ClusterRole"} if where == "cluster" else {"kind": "Role"}
    return {**kind, "metadata": {"name": "r", "namespace": where}, "rules": [rule]}


def test_the_table_lists_exactly_the_rights_that_the_manifest_grants() -> None:
    told, has = granted(map(role, ROWS)), granted(RBAC)
    differences = [f"only in the table: {right}" for right in sorted(told - has)]
    differences += [f"only in the manifest: {right}" for right in sorted(has - told)]
    assert not differences, "\n".join(differences)


def test_the_table_has_a_row_and_a_reason_for_each_rule() -> None:
    rules = [rule for document in RBAC if document["kind"].endswith("Role") for rule in document["rules"]]
    assert len(ROWS) == len(rules)
    assert all(row[-1] for row in ROWS)


def test_the_table_would_be_read_wrong_by_nobody() -> None:
    row = [names.APP, "apps", "controllerrevisions", "any", "list, create", "why"]
    assert granted([role(row)]) == {
        Right("apps", "controllerrevisions", "list", names.APP),
        Right("apps", "controllerrevisions", "create", names.APP),
    }

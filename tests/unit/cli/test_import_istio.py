"""`sidecar-injector import-istio`: what is read from where, what becomes of it, what is said, exit codes."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
import yaml
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar_injector.cli.importing.conversion import convert
from sidecar_injector.cli.importing.sources import Installation
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import parse_review
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.istio.stock import stock_templates
from tests.conformance.cases import WITHOUT, Case, differences, expected_pod, load_cases
from tests.unit.cli.istio_installation import (
    MESH,
    NOT_INJECTED,
    SIDECAR,
    STOCK,
    VALUES,
    config_map,
    injection,
    installation,
)
from tests.unit.cli.program import call, pod, write
from tests.unit.cli.test_bad_input import NONSENSE, places
from tests.unit.cli.test_main import modules_after

SPIRE = """\
spec:
  containers:
  - name: istio-proxy
    volumeMounts:
    - {name: workload-socket, mountPath: /var/run/secrets/workload-spiffe-uds, readOnly: true}
  volumes:
  - name: workload-socket
    csi: {driver: csi.spiffe.io, readOnly: true}
"""
UNTRANSLATABLE = 'metadata:\n  annotations:\n    a: {{ env "A" "b" }}\n    b: {{ .Foo }}\n'


def imported(*objects: dict[str, Any], arguments: tuple[str, ...] = ()) -> Result:
    """Import from ConfigMaps on standard input."""
    return call("import-istio", "-f", "-", *arguments, stdin="\n---\n".join(map(json.dumps, objects)))


def spec_of(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    spec: dict[str, Any] = yaml.safe_load(result.stdout)["spec"]
    return spec


def template(spec: dict[str, Any], name: str) -> str:
    return str(next(found["template"] for found in spec["templates"] if found["name"] == name))


# --- what becomes of it


def test_an_installation_becomes_a_config() -> None:
    result = imported(*installation(injection(templates={"spire": SPIRE}, aliases={"both": ["sidecar", "spire"]})))
    assert result.exit_code == 0
    config = yaml.safe_load(result.stdout)
    accept(config)
    spec = config.pop("spec")
    assert config == {
        "apiVersion": "sidecarinjector.dev/v1alpha1",
        "kind": "SidecarInjectorConfig",
        "metadata": {"name": "istio"},
    }
    templates = {found["name"]: found["template"] for found in spec.pop("templates")}
    assert templates == {**stock_templates(), "spire": SPIRE}
    assert spec == {
        "profile": "Istio",
        "revision": "default",
        "match": {"policy": "Enabled"},
        "values": VALUES,
        "meshConfig": MESH,
        "defaultTemplates": ["sidecar"],
        "aliases": [{"name": "both", "templates": ["sidecar", "spire"]}],
        "sidecarMode": "Auto",
        "reinvocationPolicy": "Never",
        "failurePolicy": "Fail",
        "guardrails": {"allow": ["AddedCapabilities"]},
    }


def test_standard_error_tells_what_was_taken_from_where_and_what_to_do_next() -> None:
    result = imported(*installation(injection(templates={**NOT_INJECTED, "spire": SPIRE})))
    lines = result.stderr.splitlines()
    assert lines[0] == (
        "Istio's injection, revision default, of ConfigMap istio-system/istio-sidecar-injector and ConfigMap "
        "istio-system/istio:"
    )
    assert lines[1:4] == [
        "  templates sidecar, gateway, grpc-agent, grpc-simple: ours, in place of Istio's",
        "  templates spire: translated",
        "  templates kube-gateway, waypoint, agentgateway-waypoint: left out, because they are not injected into Pods",
    ]
    assert "  sidecar-injector validate -f istio.yaml" in lines
    assert "  kubectl apply -f istio.yaml" in lines
    assert "Not carried over:" not in lines


def test_json_is_written_too() -> None:
    result = imported(*installation(), arguments=("-o", "json"))
    assert json.loads(result.stdout)["metadata"] == {"name": "istio"}


FIELDS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"policy": "disabled"}, {}, {"match": {"policy": "Disabled"}}),
    ({"policy": "off"}, {}, {"match": {"policy": "Disabled"}, "mode": "Disabled"}),
    ({}, {"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": "true"}}}, {"sidecarMode": "Native"}),
    ({}, {"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": True}}}, {"sidecarMode": "Native"}),
    ({}, {"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": "false"}}}, {"sidecarMode": "Classic"}),
    ({}, {"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": "auto"}}}, {"sidecarMode": "Auto"}),
    ({}, {"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": "often"}}}, {"sidecarMode": "Auto"}),
    ({}, {"sidecarInjectorWebhook": {"reinvocationPolicy": "IfNeeded"}}, {"reinvocationPolicy": "IfNeeded"}),
    ({}, {"sidecarInjectorWebhook": {}}, {"reinvocationPolicy": "Never"}),
    ({}, {"sidecarInjectorWebhook": {"enableNamespacesByDefault": True}}, {"failurePolicy": "Ignore"}),
    ({"defaultTemplates": []}, {}, {"defaultTemplates": ["sidecar"]}),
    ({"defaultTemplates": ["sidecar", "sidecar"]}, {}, {"defaultTemplates": ["sidecar"]}),
]


@pytest.mark.parametrize(("config", "values", "expected"), FIELDS, ids=lambda value: json.dumps(value))
def test_a_field_of_the_config(config: dict[str, Any], values: dict[str, Any], expected: dict[str, Any]) -> None:
    spec = spec_of(imported(*installation(injection(**config), {**VALUES, **values})))
    assert {key: spec[key] for key in expected} == expected


def test_annotations_for_all_pods_go_where_our_profile_finds_them() -> None:
    spec = spec_of(imported(*installation(injection(injectedAnnotations={"example.org/a": "b"}))))
    block = spec["values"]["sidecarInjectorWebhook"]
    assert block == {"reinvocationPolicy": "Never", "injectedAnnotations": {"example.org/a": "b"}}


def test_selectors_that_istio_ignores_are_left_out_and_named() -> None:
    never = [
        {"matchLabels": {"a": "b"}},
        {},
        {"matchExpressions": [{"key": "x", "operator": "Nope"}]},
        {"matchExpressions": [{"key": "x", "operator": "Exists"}]},
    ]
    result = imported(*installation(injection(neverInjectSelector=never, alwaysInjectSelector=[{}])))
    assert spec_of(result)["match"] == {
        "policy": "Enabled",
        "neverInject": [{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "x", "operator": "Exists"}]}],
    }
    ignored = result.stderr.partition("Ignored, as Istio does:\n")[2].splitlines()[:3]
    assert [line.strip().partition(": ")[0] for line in ignored] == [
        "neverInjectSelector[1]",
        "neverInjectSelector[2].matchExpressions[0].operator",
        "alwaysInjectSelector[0]",
    ]


# --- templates


CHANGED = [
    ("sidecar", SIDECAR + "  - name: vault-agent\n", "name vault-agent"),
    ("sidecar", SIDECAR + "    - name: MY_REGION\n      value: eu\n", "name MY_REGION"),
    ("sidecar", SIDECAR.replace('"{{ .ProxyImage }}"', "example.org/proxy:7"), "image example.org/proxy:7"),
    ("sidecar", "metadata:\n  labels:\n    example.org/team: a\n" + SIDECAR, "a label or annotation of example.org"),
    ("sidecar", SIDECAR + "    resources:\n      limits:\n        cpu: 500m\n", "cpu: 500m"),
    ("sidecar", SIDECAR + "    - name: ISTIO_META_X\n      value: {{ .Values.mine.x }}\n", ".Values.mine"),
    ("gateway", STOCK["gateway"] + "  volumes:\n  - name: istio-data\n    hostPath: {path: /x}\n", "a hostPath volume"),
]


@pytest.mark.parametrize(("name", "text", "foreign"), CHANGED, ids=[foreign for *_, foreign in CHANGED])
def test_a_stock_template_that_somebody_may_have_changed_is_named_with_what_is_foreign(
    name: str, text: str, foreign: str
) -> None:
    objects = installation(injection(templates={name: text}))
    result = imported(*objects)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"  template {name}: ours stands for it, but Istio's may have been changed: compare by hand" in result.stderr
    assert f"    not Istio's: {foreign}\n" in result.stderr
    spec = spec_of(imported(*objects, arguments=("--allow-incomplete",)))
    assert template(spec, name) == stock_templates()[name]


def test_comments_in_a_stock_template_are_no_change() -> None:
    text = SIDECAR + "# - name: mine\n{{- /* image: example.org/mine:1\n- name: other */ -}}\n"
    assert imported(*installation(injection(templates={"sidecar": text}))).exit_code == 0


def test_a_template_that_only_has_the_name_of_a_stock_one_is_translated() -> None:
    spec = spec_of(imported(*installation(injection(templates={"gateway": SPIRE}))))
    assert template(spec, "gateway") == SPIRE


def test_a_template_that_is_not_translated_is_left_out_with_every_reason_and_what_names_it() -> None:
    objects = installation(
        injection(
            templates={"vault": UNTRANSLATABLE},
            defaultTemplates=["sidecar", "vault"],
            aliases={"both": ["sidecar", "vault"], "only": ["vault"]},
        )
    )
    result = imported(*objects)
    assert (result.exit_code, result.stdout) == (1, "")
    section = result.stderr.partition("Not carried over:\n")[2]
    assert section.startswith("  template vault:\n    line 3: the function `env` is not translated; ")
    assert "    line 4: `.Foo` is no field of the template's data" in section
    for owner in ("alias both", "alias only", "defaultTemplates"):
        assert f"  {owner}: vault is left out, because there is no such template here" in section
    assert section.splitlines()[-1].startswith("Error: ")
    spec = spec_of(imported(*objects, arguments=("--allow-incomplete",)))
    assert spec["defaultTemplates"] == ["sidecar"]
    assert spec["aliases"] == [{"name": "both", "templates": ["sidecar"]}]
    assert "vault" not in [found["name"] for found in spec["templates"]]


def test_a_config_without_its_default_templates_is_not_written_at_all() -> None:
    config = injection(templates={"vault": UNTRANSLATABLE}, defaultTemplates=["vault"])
    result = imported(*installation(config), arguments=("--allow-incomplete",))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "spec.defaultTemplates: none of Istio's default templates could be carried over" in result.stderr


def test_a_translated_template_that_would_be_refused_is_left_out() -> None:
    text = "spec:\n  hostNetwork: {{ .Values.nowhere.to.be.found }}\n"
    result = imported(*installation(injection(templates={"broken": text})))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "  template broken:\n    it is translated, but istio/broken:2" in result.stderr


def test_a_name_that_no_template_can_have_here_is_told() -> None:
    result = imported(*installation(injection(templates={"myTemplate": SPIRE})))
    assert result.exit_code == 1
    assert "  template myTemplate:\n    its name is 'myTemplate', which is not a DNS label" in result.stderr


def test_an_alias_of_a_templates_name_still_counts_among_the_default_templates() -> None:
    objects = installation(injection(templates={"spire": SPIRE}, aliases={"sidecar": ["sidecar", "spire"]}))
    result = imported(*objects)
    assert result.exit_code == 1
    assert "alias sidecar has the name of a template" in result.stderr
    spec = spec_of(imported(*objects, arguments=("--allow-incomplete",)))
    assert spec["defaultTemplates"] == ["sidecar", "spire"]
    assert "aliases" not in spec


def test_a_config_that_would_be_refused_is_not_written() -> None:
    selectors = [{"matchLabels": {f"l{i}": "x"}} for i in range(17)]
    result = imported(*installation(injection(neverInjectSelector=selectors)), arguments=("--allow-incomplete",))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "  spec.match.neverInject: has 17 items; at most 16 must be given" in result.stderr


def test_the_example_of_the_page_is_what_the_command_makes_of_it() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "move-from-istio.md").read_text()
    theirs, ours = (page.partition(f"```yaml\n# {word}\n")[2].partition("```")[0] for word in ("theirs", "ours"))
    values = {**VALUES, "global": {**VALUES["global"], "proxy": {"resources": {"requests": {"cpu": "1"}}}}}
    spec = spec_of(imported(*installation(injection(templates={"region": theirs}), values)))
    assert template(spec, "region") == ours


# --- where it is read from


def test_config_maps_come_in_any_order_in_lists_and_among_other_objects(tmp_path: Path) -> None:
    other, mesh, injector = installation()
    write(tmp_path / "d" / "a.yaml", pod(), {"apiVersion": "v1", "kind": "List", "items": [injector, other]})
    write(tmp_path / "d" / "b.yaml", mesh)
    assert call("import-istio", "-f", tmp_path / "d").stdout == imported(mesh, injector).stdout != ""


def test_the_bare_documents_are_read_too(tmp_path: Path) -> None:
    names = ("--config", "--values", "--mesh")
    documents = [
        write(tmp_path / f"{name}.yaml", value) for name, value in zip(names, (injection(), VALUES, MESH), strict=True)
    ]
    arguments = [part for pair in zip(names, documents, strict=True) for part in pair]
    assert spec_of(call("import-istio", *arguments)) == spec_of(imported(*installation()))
    spec = spec_of(call("import-istio", *arguments[:4], "--revision", "canary"))
    assert (spec["revision"], spec["meshConfig"]) == ("canary", {})


def test_each_revision_gives_a_config_of_its_own() -> None:
    objects = [*installation(), *installation(revision="canary", mesh={"trustDomain": "new"})]
    result = imported(*objects)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there are istio-sidecar-injector, istio-sidecar-injector-canary; name one by --revision" in result.stderr
    found = imported(*objects, arguments=("--revision", "canary"))
    config = yaml.safe_load(found.stdout)
    assert config["metadata"]["name"] == "istio-canary"
    assert config["spec"]["revision"] == "canary"
    assert config["spec"]["meshConfig"] == {"trustDomain": "new"}
    default = yaml.safe_load(imported(*objects, arguments=("--revision", "default")).stdout)
    assert default["metadata"]["name"] == "istio"
    alone = yaml.safe_load(imported(*installation(revision="canary")).stdout)
    assert alone["spec"]["revision"] == "canary"


def test_a_mesh_config_that_is_missing_is_told() -> None:
    _, _, injector = installation()
    result = imported(injector)
    assert spec_of(result)["meshConfig"] == {}
    assert "there was no MeshConfig: the defaults of Istio are taken" in result.stderr


def without(key: str) -> list[dict[str, Any]]:
    objects = installation()
    del objects[2]["data"][key]
    return objects


UNUSABLE = [
    ([pod()], (), "holds no ConfigMap istio-sidecar-injector"),
    (without("config"), (), "holds no ConfigMap istio-sidecar-injector"),
    (without("values"), (), "ConfigMap istio-system/istio-sidecar-injector: data.values: is missing"),
    (
        [config_map("istio-sidecar-injector", config="[]", values="{}")],
        (),
        "data.config: is a list; one object is expected",
    ),
    (
        [config_map("istio-sidecar-injector", config="a: [", values="{}")],
        (),
        "data.config: document 1: line 2, column 1: ",
    ),
    ([config_map("istio-sidecar-injector", config="{}", values="")], (), "data.values: is 0 documents"),
    (installation(), ("--revision", "canary"), "of revision canary is not in it: there are istio-sidecar-injector"),
    ([*installation(), *installation()], (), "ConfigMap istio-sidecar-injector is given more than once"),
    (installation(), ("--namespace", "mesh"), "holds no ConfigMap istio-sidecar-injector"),
]


@pytest.mark.parametrize(("objects", "arguments", "said"), UNUSABLE, ids=[said for *_, said in UNUSABLE])
def test_input_that_cannot_be_used(objects: list[dict[str, Any]], arguments: tuple[str, ...], said: str) -> None:
    result = imported(*objects, arguments=arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-f", "x", "--config", "y"), "-f and --config exclude each other"),
        (("--config", "x"), "--config needs --config and --values"),
        (("--mesh", "x"), "--mesh needs --config and --values"),
        (("-f", "x", "--namespace", "No"), "is not a DNS label"),
        (("-f", "no-such-file"), "no-such-file: cannot be read"),
        (("--kubeconfig", "no-such-file"), "no usable credentials for the API server: no-such-file does not exist"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    result = call("import-istio", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_importing_files_imports_no_client_of_the_api_server(tmp_path: Path) -> None:
    objects = write(tmp_path / "istio.yaml", *installation())
    assert not {"kopf", "kubernetes", "aiohttp"} & modules_after("import-istio", "-f", str(objects))


DOCUMENTS = injection(
    neverInjectSelector=[{"matchLabels": {"a": "b"}}], aliases={"x": ["sidecar"]}, injectedAnnotations={"a": "b"}
)


@settings(deadline=None, max_examples=60)
@given(path=st.sampled_from(places(DOCUMENTS)), value=NONSENSE)
def test_a_config_with_nonsense_in_one_place(path: tuple[Any, ...], value: object) -> None:
    config: Any = copy.deepcopy(DOCUMENTS)
    target = config
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    result = imported(*installation(config))
    assert result.exit_code in (0, 1, 2), result.stderr
    assert (result.stdout == "") is (result.exit_code != 0)


# --- Istio's own cases


CASES = [case for case in load_cases() if case.data["expected"] is not None]
WITH_TEMPLATES = [case for case in CASES if case.data.get("customTemplatesInGoSyntax")]
OTHERS = [
    case
    for case in CASES
    if case.id in ("hello", "native-sidecar-opt-out", "gateway", "grpc-agent", "hello-fips-140-3")
]


@pytest.mark.skipif(not CASES, reason=WITHOUT)
@pytest.mark.parametrize("case", WITH_TEMPLATES + OTHERS, ids=lambda case: case.id)
def test_an_imported_config_injects_what_istio_injects(case: Case) -> None:
    values = copy.deepcopy(case.resource["spec"]["values"])
    if case.native["mode"] == "disabled":
        values["pilot"]["env"]["ENABLE_NATIVE_SIDECARS"] = "false"
    document = injection(
        templates=case.data.get("customTemplatesInGoSyntax") or {}, defaultTemplates=case.data["defaultTemplates"]
    )
    found = convert(Installation("", document, values, case.data["meshConfig"], ("a case",)))
    assert found.complete
    config = accept(found.resource)
    outcome = admit(parse_review(case.review(case.pod)), config, profile_for(config), case.facts)
    got = jsonpatch.apply_patch(case.pod, json.loads(json.dumps(outcome.patch)))
    assert differences(expected_pod(case), got) == []

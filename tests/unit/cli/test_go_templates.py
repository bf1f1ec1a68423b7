"""Go templates into ours: what is translated means the same to us as to Go, and everything else is refused.

`go_templates/*.tpl` are templates, `*.ours` what they become, and `*.json` the data that the real Go engine makes of
them for the Pods of `contexts.json` (recorded by `recorder/main.go`), with native sidecars and without.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar_injector.cli.go_templates.findings import Untranslatable
from sidecar_injector.cli.go_templates.translate import Translation, translate
from sidecar_injector.config.model import Position
from sidecar_injector.errors import TemplateRefusal
from sidecar_injector.injection.conform import conform
from sidecar_injector.injection.merge import strategic_merge
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.view import for_templates
from sidecar_injector.templating import compile_template

FOLDER = Path(__file__).parent / "go_templates"
TEMPLATES = sorted(FOLDER.glob("*.tpl"))
CONTEXTS: dict[str, Any] = json.loads((FOLDER / "contexts.json").read_text())
VALUES = CONTEXTS["values"]

each_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)


def translated(text: str) -> Translation:
    return translate(text, VALUES)


def context(pod: dict[str, Any], *, native: bool) -> dict[str, Any]:
    """What a template of profile Istio sees of a Pod, as far as these templates look."""
    namespace = CONTEXTS["namespace"]
    return {
        "pod": for_templates(pod),
        "namespace": {"name": namespace, "labels": {}, "annotations": {}},
        "workload": {**CONTEXTS["workload"], "namespace": namespace},
        "values": VALUES,
        "meshConfig": CONTEXTS["meshConfig"],
        "proxyConfig": CONTEXTS["proxyConfig"],
        "revision": "default",
        "nativeSidecars": native,
        "proxy": {
            "image": "example.org/istio/proxyv2:1.28.0",
            "uid": 1337,
            "gid": 1337,
            "inboundTrafficPolicy": "passthrough",
        },
    }


def rendered(source: str, pod: dict[str, Any] = CONTEXTS["pods"][0], *, native: bool = True) -> Any:
    """What a template of ours yields, as it is merged into the Pod."""
    return merged(source, context(pod, native=native))


def merged(source: str, variables: dict[str, Any]) -> Any:
    """What a template of ours makes of a Pod that has nothing."""
    found = compile_template("translated", source).render(variables)
    return strategic_merge({}, conform(Overlay("translated", Position(), found.tree, found.place)).tree)


@each_template
def test_a_translated_template_yields_what_go_makes_of_the_original(path: Path) -> None:
    source = translated(path.read_text()).source
    recorded = iter(json.loads(path.with_suffix(".json").read_text()))
    for pod in CONTEXTS["pods"]:
        for native in (True, False):
            assert rendered(source, pod, native=native) == merged("{{ recorded }}", {"recorded": next(recorded)}), pod[
                "metadata"
            ]


@each_template
def test_a_translated_template_is_one_that_people_can_read(path: Path) -> None:
    assert translated(path.read_text()).source == path.with_suffix(".ours").read_text()


def findings(text: str) -> list[str]:
    with pytest.raises(Untranslatable) as refused:
        translated(text)
    return [str(finding) for finding in refused.value.findings]


ANNOTATION = "metadata:\n  annotations:\n    a: {}\n"

REFUSED = [
    ('{{ env "KEY" "x" }}', "the function `env` is not translated; there is none: the environment of the operator"),
    ("{{ protoToJSON .ProxyConfig }}", "for `protoToJSON .ProxyConfig` write `proxy.config`"),
    ("{{ structToJSON .Spec.Containers }}", "write `m | to_json`"),
    ('{{ appendMultusNetwork "" "default/istio-cni" }}', "write `proxy.networks`"),
    ('{{ regexMatch "a" "b" }}', "there are no regular expressions"),
    ("{{ frobnicate 1 }}", "the function `frobnicate` is not translated; write it with the filters and functions of"),
    ("{{ .Foo }}", "`.Foo` is no field of the template's data"),
    ("{{ .Revison }}", "did you mean `.Revision`?"),
    ("{{ .Spec.Hostnetwork2 }}", "is no field of PodSpec; did you mean `.HostNetwork`?"),
    ("{{ .ProxyConfig.Frob }}", "`.Frob` is no field of ProxyConfig that is known here"),
    ("{{ .DeploymentMeta.Labels }}", "`.Labels` is no field of DeploymentMeta"),
    ("{{ .Revision.Name }}", "`.Name` is taken of `revision`, which is text"),
    ('{{ .ObjectMeta.Labels "app" }}', "`pod.metadata.labels` has arguments, but is no function; write `index`"),
    ("{{ .Values.agent.resources }}", "is a map, which Go prints in its own inner form; format it: `toYaml`"),
    ("{{ (index .Spec.Containers 0).Resources.Limits }}", "is a map, which Go prints in its own inner form"),
    ('{{ index (index .Spec.Containers 0).Resources.Limits "cpu" }}', "is a quantity, or a number or name"),
    ("{{ .ProxyConfig.DrainDuration }}", "is a duration, which Go prints in its own inner form"),
    ("{{ or .Spec.TerminationGracePeriodSeconds 30 }}", "is a condition on a pointer"),
    ("{{ .Spec.TerminationGracePeriodSeconds | default 30 }}", "a pointer, which Go takes for given"),
    ("{{ valueOrDefault .Spec.RestartPolicy `Always` }}", "which Go never takes for empty; use `default`"),
    ("{{ if .Values.agent.name | quote }}x{{ end }}", "stands in a condition; test the value itself"),
    ("{{ if eq .Values.agent.name 5 }}x{{ end }}", "Go does not compare a number with text"),
    ("{{ if eq .Spec.HostNetwork `true` }}x{{ end }}", "Go does not compare text with true or false"),
    ("{{ range .Values.agent.absent }}x{{ end }}", "which is not set: a list and a map are looped over differently"),
    ("{{ range .Values.agent.name }}x{{ end }}", "`range` runs over `values.agent.name`, which is text"),
    ("{{ range .Spec.Containers }}x{{ break }}{{ end }}", "`break` is not translated; filter the list before the loop"),
    ('{{ template "x" . }}', "`template` is not translated; write a macro"),
    ('{{ define "x" }}{{ end }}', "`define` is not translated; write a macro"),
    ("{{ $x }}", "`$x` is not declared here"),
    ("{{ $x = 1 }}", "`$x` is not declared"),
    ('{{ $x := 1 }}{{ $x = "a" }}', "`$x` is a number and then text; use two variables"),
    ("{{ upper .Values.agent.port }}", "is a number, where Go wants text"),
    ('{{ printf "%s" .Values.agent.port }}', "`%s` in `printf` for a number, which Go prints as an error"),
    ('{{ printf "%d" .Values.agent.port }}', "`%d` in `printf` for a number, which Go prints as an error"),
    ('{{ printf "%q" .Values.agent.name }}', "`%q` in `printf`"),
    ('{{ printf "%s-%s" .Values.agent.name .Values.agent.name .Values.agent.name }}', "more values than places"),
    ("{{ trunc 3 }}", "`trunc` has 1 arguments"),
    ("--name={{ .Values.agent.name | quote }}", "its quotation marks become part of it; leave `quote` out"),
    ('"{{ .Values.agent.name | quote }}"', "its quotation marks become part of it; leave `quote` out"),
    ('"{{ toJson .Values.agent.labels }}"', "`toJSON` stands in double quotes"),
    ("x {{ toYaml .Values.agent.labels }}", "continues a list, a map or a text; write a loop"),
    ("{{ .Values.agent.name }}{{ .Values.agent.empty }}", "are printed side by side, and both may be empty"),
    ("[{{ annotation .ObjectMeta `a` `b` }}]", "a comma in it would make two items"),
    ('"{{ .Values.agent.lines }}"', "holds signs that mean something in YAML, and Go reads them"),
    ("x\n      {{ .Values.agent.name }}", "a printed value stands in a line of its own, after other text"),
    ("{{ 'a' }}", "`'` cannot stand in an action; write the character as text"),
    ("{{ index .Values.agent.name", "`{{` is not closed; close it with `}}`"),
    ("{{ if .NativeSidecars }}x", "`if` is not closed; close it with `{{ end }}`"),
    ("x{{ end }}", "`end` closes nothing"),
    ("{{ if true }}a{{ else }}b{{ else }}c{{ end }}", "`else` stands behind another `else`"),
    ("{{ | quote }}", "a value is missing"),
    ("{{ (1 }}", "`}}` cannot stand here"),
]


@pytest.mark.parametrize(("value", "said"), REFUSED, ids=[value.replace("\n", " ") for value, _ in REFUSED])
def test_what_has_no_exact_translation_is_refused_with_its_line_and_a_remedy(value: str, said: str) -> None:
    found = findings(ANNOTATION.format(value))
    assert any(said in finding for finding in found), found
    assert all(finding.startswith(("line 3: ", "line 4: ")) for finding in found)


def test_everything_that_is_refused_is_told_at_once() -> None:
    text = 'a: {{ env "A" "" }}\nb: {{ .Foo }}\nc: {{ range .Nope }}{{ .x }}{{ end }}\nd: --x={{ "a" | quote }}\n'
    assert [finding.partition(":")[0] for finding in findings(text)] == ["line 1", "line 2", "line 3", "line 4"]


def test_what_follows_from_something_refused_is_not_told_too() -> None:
    [found] = findings("{{ $x := .Foo }}metadata: {annotations: {a: {{ $x.y | upper | quote }}}}")
    assert "`.Foo`" in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spec:\n  containers:\n{{ if .NativeSidecars }}  - name: x{{ end }}\n   image: y\n", "line 4: "),
        ("metadata: {}\n---\nspec: {}\n", "line 3: the template prints a second YAML document"),
        ("a: \u2063\n", "line 1: the invisible character U+2063; delete it"),
    ],
)
def test_text_that_makes_no_yaml_is_refused_at_its_line(text: str, said: str) -> None:
    assert any(finding.startswith(said) for finding in findings(text))


def test_a_value_that_go_reads_as_yaml_is_read_as_yaml() -> None:
    source = translated(ANNOTATION.format("{{ .Values.agent.quotedNumber }}")).source
    assert rendered(source) == {"metadata": {"annotations": {"a": "8080"}}}


def test_a_value_of_a_pod_never_becomes_yaml() -> None:
    source = translated(ANNOTATION.format("{{ annotation .ObjectMeta `x` `d` }}")).source
    pod = {"metadata": {"annotations": {"x": "[1]\nb: c"}}, "spec": {"containers": []}}
    assert rendered(source, pod) == {"metadata": {"annotations": {"a": "[1]\nb: c"}}}


def test_a_large_number_is_printed_as_it_is_and_the_difference_is_told() -> None:
    translation = translate(ANNOTATION.format('"{{ .Values.big }}"'), {"big": 2000000})
    assert translation.notes == ("line 3: `values.big` is printed as 2000000, not in Go's notation 2e+06",)


def test_a_template_may_refuse_a_pod() -> None:
    source = translated('{{ if eq .TypeMeta.Kind "Deployment" }}{{ fail "no" }}{{ end }}').source
    with pytest.raises(TemplateRefusal, match="no"):
        rendered(source)


CHANGING = '{{ $v := "a" }}{{ with $v }}{{ $v = "b" }}' + ANNOTATION.format('"{{ . }}-{{ $v }}"') + "{{ end }}"


def test_a_variable_that_changes_is_what_it_was_where_it_was_kept() -> None:
    assert rendered(translated(CHANGING).source) == {"metadata": {"annotations": {"a": "a-b"}}}


def test_signs_of_yaml_in_what_a_variable_is_given_later_are_noticed() -> None:
    text = '{{ $v := "a" }}{{ if .NativeSidecars }}{{ $v = "x #y" }}{{ end }}' + ANNOTATION.format("{{ $v }}")
    assert rendered(translated(text).source) == {"metadata": {"annotations": {"a": "x"}}}


@pytest.mark.parametrize("word", ["pod", "values", "loop", "not", "namespace", "self", "1x", "été"])
def test_a_variable_gets_a_name_that_means_nothing_else(word: str) -> None:
    source = translated(f"{{{{ ${word} := `b` }}}}" + ANNOTATION.format(f"{{{{ ${word} }}}}")).source
    assert rendered(source) == {"metadata": {"annotations": {"a": "b"}}}


FRAGMENTS = [
    "{{", "}}", "{{- ", " -}}", "{{ if .NativeSidecars }}", "{{ range .Spec.Containers }}", "{{ else }}", "{{ end }}",
    "{{ .Name }}", "{{ $x := 1 }}", "{{ $x }}", "{{ toYaml .Values.agent.resources | nindent 4 }}", "{{/* c */}}",
    "{{ .Revision | quote }}", " if ", "range ", "$x", ":=", "|", "(", ")", '"a"', "`b`", "nil", "1", "-", ".", ".Spec",
    "metadata:\n  annotations:\n", "    k: ", "\n", "  ", "- ", "|", ">", "'", "[", "{", "#", ":", "{%", "{#", "0644",
    "---\n", "&a ", "*a", "<<: ", "\t", "é",
]  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(text=st.lists(st.sampled_from(FRAGMENTS), max_size=16).map("".join))
def test_whatever_the_text_it_is_translated_or_refused(text: str) -> None:
    with suppress(Untranslatable):
        compile_template("translated", translated(text).source)

"""SidecarInjectorConfigs that are refused: one table for the parser and for the real API server."""

from tests.unit.config.refused_matches import REFUSED_MATCHES
from tests.unit.config.refused_overrides import REFUSED_OVERRIDES
from tests.unit.config.resources import Refused, edited, templates, with_spec, with_template, without

REFUSED: list[Refused] = [
    *REFUSED_MATCHES,
    *REFUSED_OVERRIDES,
    Refused("wrong kind", edited(kind="SidecarInjectorConfigs"), "kind", "SidecarInjectorConfig is expected"),
    Refused("no kind", without("kind"), "kind", "is missing"),
    Refused("wrong apiVersion", edited(apiVersion="v1"), "apiVersion", "sidecarinjector.dev/v1alpha1 is expected"),
    Refused("no metadata", without("metadata"), "metadata.name", "is missing"),
    Refused("metadata is a list", edited(metadata=[]), "metadata", "is a list; an object is expected"),
    Refused("no name", edited(metadata={}), "metadata.name", "is missing"),
    Refused("name with a dot", edited(metadata__name="a.b"), "metadata.name", "not a DNS label"),
    Refused("name too long", edited(metadata__name="a" * 64), "metadata.name", "has 64 characters; at most 63"),
    Refused("name in capitals", edited(metadata__name="Proxy"), "metadata.name", "not a DNS label"),
    Refused(
        "name is a number",
        edited(metadata__name=5),
        "metadata.name",
        "is the number 5; text is expected; put it in quotes",
    ),
    Refused("no spec", without("spec"), "spec", "is missing"),
    Refused("spec is text", edited(spec="x"), "spec", "is text; an object is expected"),
    Refused("unknown field at the top", edited(template="x"), "template", "unknown field"),
    Refused("field of spec at the top", edited(values={}), "values", "it belongs in spec.values"),
    Refused("unknown field of spec", with_spec(hooks=[]), "spec.hooks", "unknown field; allowed: profile, revision"),
    Refused(
        "sidecars outside a template",
        with_spec(sidecars=[]),
        "spec.sidecars",
        "it belongs in the text of a template, under spec",
    ),
    Refused(
        "misspelt field of spec",
        with_spec(defaulttemplates=["main"]),
        "spec.defaulttemplates",
        "did you mean defaultTemplates?",
    ),
    Refused("snake case", with_spec(timeout_seconds=3), "spec.timeout_seconds", "did you mean timeoutSeconds?"),
    Refused(
        "selector outside match",
        with_spec(namespaceSelector={}),
        "spec.namespaceSelector",
        "it belongs in spec.match.namespaceSelector",
    ),
    Refused("field of a later version", with_spec(rollout={}), "spec.rollout", "unknown field"),
    Refused("unknown profile", with_spec(profile="Linkerd"), "spec.profile", "is 'Linkerd'; allowed: Istio, Generic"),
    Refused("choice in the wrong case", with_spec(mode="audit"), "spec.mode", "did you mean Audit?"),
    Refused("choice is a boolean", with_spec(mode=True), "spec.mode", "is true; allowed: Enforce, Audit, Disabled"),
    Refused("empty choice", with_spec(sidecarMode=""), "spec.sidecarMode", "allowed: Auto, Native, Classic"),
    Refused(
        "unknown conflictPolicy",
        with_spec(conflictPolicy="Replace"),
        "spec.conflictPolicy",
        "allowed: Merge, Skip, Reject",
    ),
    Refused("unknown failurePolicy", with_spec(failurePolicy="Open"), "spec.failurePolicy", "allowed: Fail, Ignore"),
    Refused(
        "unknown reinvocationPolicy",
        with_spec(reinvocationPolicy="Always"),
        "spec.reinvocationPolicy",
        "allowed: Never, IfNeeded",
    ),
    Refused("revision with a dot", with_spec(revision="1.4"), "spec.revision", "not a DNS label"),
    Refused("empty revision", with_spec(revision=""), "spec.revision", "not a DNS label"),
    Refused("revision is a number", with_spec(revision=14), "spec.revision", "put it in quotes"),
    Refused("timeout too short", with_spec(timeoutSeconds=0), "spec.timeoutSeconds", "is 0; allowed: 1 to 30"),
    Refused("timeout too long", with_spec(timeoutSeconds=31), "spec.timeoutSeconds", "is 31; allowed: 1 to 30"),
    Refused(
        "timeout with a fraction", with_spec(timeoutSeconds=2.5), "spec.timeoutSeconds", "a whole number is expected"
    ),
    Refused(
        "timeout is text", with_spec(timeoutSeconds="5"), "spec.timeoutSeconds", "is text; a whole number is expected"
    ),
    Refused(
        "timeout is a boolean",
        with_spec(timeoutSeconds=True),
        "spec.timeoutSeconds",
        "is true; a whole number is expected",
    ),
    Refused("negative order", with_spec(order=-1), "spec.order", "allowed: 0 to 1000"),
    Refused(
        "too long a history", with_spec(revisionHistoryLimit=101), "spec.revisionHistoryLimit", "allowed: 0 to 100"
    ),
    Refused("order too high", with_spec(order=1001), "spec.order", "allowed: 0 to 1000"),
    Refused("values is a list", with_spec(values=[]), "spec.values", "is a list; an object is expected"),
    Refused("meshConfig is text", with_spec(meshConfig="a: b"), "spec.meshConfig", "is text; an object is expected"),
    Refused("no templates", with_spec(templates=None), "spec.templates", "is missing"),
    Refused("empty templates", with_spec(templates=[]), "spec.templates", "at least 1"),
    Refused(
        "33 templates",
        with_spec(templates=templates(*(f"t{i}" for i in range(33)))),
        "spec.templates",
        "has 33 items; at most 32",
    ),
    Refused(
        "templates is an object",
        with_spec(templates={"main": "spec: {}"}),
        "spec.templates",
        "is an object; a list is expected",
    ),
    Refused("template is null", with_spec(templates=[None]), "spec.templates[0]", "is null; an object is expected"),
    Refused(
        "template without a name", with_spec(templates=[{"template": "x"}]), "spec.templates[0].name", "is missing"
    ),
    Refused("template without text", with_spec(templates=[{"name": "a"}]), "spec.templates[0].template", "is missing"),
    Refused("empty template", with_template(template=""), "spec.templates[0].template", "is empty"),
    Refused(
        "template as an object",
        with_template(template={"spec": {}}),
        "spec.templates[0].template",
        "is an object; text is expected",
    ),
    Refused("template too large", with_template(template="#" * 131073), "spec.templates[0].template", "at most 131072"),
    Refused("template's name in capitals", with_template(name="Main"), "spec.templates[0].name", "not a DNS label"),
    Refused("unknown field of a template", with_template(when="true"), "spec.templates[0].when", "unknown field"),
    Refused(
        "same template twice",
        with_spec(templates=templates("a", "b", "a")),
        "spec.templates[2]",
        "'a' is given again; spec.templates[0] has it already",
    ),
    Refused(
        "unknown delimiters",
        with_template(delimiters="Angle"),
        "spec.templates[0].delimiters",
        "allowed: Curly, Square",
    ),
    Refused(
        "unknown place",
        with_template(position={"at": "Middle"}),
        "spec.templates[0].position.at",
        "allowed: First, Last",
    ),
    Refused(
        "two positions",
        with_template(position={"at": "First", "before": ["a"]}),
        "spec.templates[0].position",
        "give only one of at, before, after",
    ),
    Refused(
        "position is text",
        with_template(position="First"),
        "spec.templates[0].position",
        "is text; an object is expected",
    ),
    Refused(
        "before is empty", with_template(position={"before": []}), "spec.templates[0].position.before", "at least 1"
    ),
    Refused(
        "after is text",
        with_template(position={"after": "app"}),
        "spec.templates[0].position.after",
        "a list is expected",
    ),
    Refused(
        "no container's name",
        with_template(position={"after": ["a_b"]}),
        "spec.templates[0].position.after[0]",
        "not a DNS label",
    ),
    Refused(
        "dangling defaultTemplates",
        with_spec(defaultTemplates=["main", "mian"]),
        "spec.defaultTemplates[1]",
        "no template or alias has that name; did you mean main?",
    ),
    Refused(
        "defaultTemplates twice",
        with_spec(defaultTemplates=["main", "main"]),
        "spec.defaultTemplates[1]",
        "is given again",
    ),
    Refused(
        "defaultTemplates is text",
        with_spec(defaultTemplates="main"),
        "spec.defaultTemplates",
        "is text; a list is expected",
    ),
    Refused(
        "defaultTemplates holds null",
        with_spec(defaultTemplates=[None]),
        "spec.defaultTemplates[0]",
        "is null; text is expected",
    ),
    Refused(
        "dangling alias",
        with_spec(aliases=[{"name": "all", "templates": ["main", "other"]}]),
        "spec.aliases[0].templates[1]",
        "no template has that name; there are: main",
    ),
    Refused(
        "alias of an alias",
        with_spec(aliases=[{"name": "a", "templates": ["main"]}, {"name": "b", "templates": ["a"]}]),
        "spec.aliases[1].templates[0]",
        "no template has that name",
    ),
    Refused(
        "alias named like a template",
        with_spec(aliases=[{"name": "main", "templates": ["main"]}]),
        "spec.aliases[0].name",
        "is the name of a template",
    ),
    Refused(
        "same alias twice",
        with_spec(aliases=[{"name": "a", "templates": ["main"]}] * 2),
        "spec.aliases[1]",
        "is given again",
    ),
    Refused(
        "alias of nothing",
        with_spec(aliases=[{"name": "a", "templates": []}]),
        "spec.aliases[0].templates",
        "at least 1",
    ),
    Refused("alias without templates", with_spec(aliases=[{"name": "a"}]), "spec.aliases[0].templates", "is missing"),
    Refused("alias without a name", with_spec(aliases=[{"templates": ["main"]}]), "spec.aliases[0].name", "is missing"),
    Refused(
        "template twice in an alias",
        with_spec(aliases=[{"name": "a", "templates": ["main", "main"]}]),
        "spec.aliases[0].templates[1]",
        "is given again",
    ),
    Refused(
        "aliases as an object", with_spec(aliases={"a": ["main"]}), "spec.aliases", "is an object; a list is expected"
    ),
]

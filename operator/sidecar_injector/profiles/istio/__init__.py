"""Profile Istio: Istio's sidecar injection, rule by rule.

In the order in which a Pod passes:

    entries       for which Namespaces and Pods the API server calls: the labels that ask for a revision
    select        inject, and if not, why: Istio's table
    validate      annotations that are not allowed, all at once (`keys`: every label and annotation there is)
    openshift     users that OpenShift gave the proxy by mistake
    view          what Istio itself injected earlier, out of the templates' sight
    plan          everything that is worked out for one Pod, and the sequence of the rules below
      settings, steering, mesh, proxy_config, images, identity, native, environment, telemetry, multus
    context       all of that, as templates see it
    overrides     what the user says of injected containers wins, and is remembered
    proxy_user    the user of the proxy, where its user chose one
    environment   cluster and network of the proxy
    prometheus    metrics of the application and the proxy merged; the secure port
    probes        probes and hooks of the application sent through the agent
    metadata      network label, annotations for all
    order         of the containers
    status        the annotation that tells what was injected

`stock` has the templates and the config to start from.
"""

from collections.abc import Sequence

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.errors import PodRejected, Problem
from sidecar_injector.injection.decide import Rule, Subject
from sidecar_injector.injection.entries import Entry
from sidecar_injector.injection.overrides import override_warnings
from sidecar_injector.injection.profile import Words
from sidecar_injector.names import Reason
from sidecar_injector.profiles.generic import KNOWN_ANNOTATIONS, asked_templates
from sidecar_injector.profiles.istio import mesh, values_problems
from sidecar_injector.profiles.istio.entries import entries, problems
from sidecar_injector.profiles.istio.keys import PREFIXES
from sidecar_injector.profiles.istio.plan import IstioPlan, plan, settled
from sidecar_injector.profiles.istio.select import RULES
from sidecar_injector.profiles.istio.status import RECORD
from sidecar_injector.profiles.istio.validate import check, warnings
from sidecar_injector.profiles.istio.vocabulary import INJECT, TEMPLATES


class Istio:
    """Profile Istio."""

    record = RECORD
    words = Words(INJECT, TEMPLATES, PREFIXES)

    @property
    def rules(self) -> Sequence[Rule]:
        """Istio's decision table."""
        return RULES

    def problems(self, config: CompiledConfig) -> Sequence[Problem]:
        """Return what is wrong with the values and the mesh config."""
        in_mesh = [Problem("spec.meshConfig", line) for line in mesh.problems(config.spec.mesh_config)]
        return [*problems(config), *values_problems.problems(config), *in_mesh]

    def entries(self, config: CompiledConfig) -> tuple[Entry, ...]:
        """Return an entry for each way in which labels ask for the config's revision."""
        return entries(config)

    def check(self, subject: Subject) -> None:
        """Raise PodRejected for annotations whose values are not allowed."""
        check(subject.pod)

    def template_names(self, subject: Subject) -> tuple[str, ...]:
        """Return the templates that the Pod names, or the default ones; to name none is a mistake, as in Istio."""
        found = asked_templates(subject, TEMPLATES)
        if not found:
            known = ", ".join([*subject.config.templates, *subject.config.spec.aliases])
            message = f"metadata.annotations[{TEMPLATES}]: names no template; there are: {known}"
            raise PodRejected(Reason.UNKNOWN_TEMPLATE, message)
        return found

    def settled(self, subject: Subject) -> bool:
        """Tell whether no container has come since whose probes are still to be rewritten."""
        return settled(subject)

    def plan(self, subject: Subject) -> IstioPlan:
        """Return everything that is worked out for a Pod."""
        return plan(subject)

    def warnings(self, subject: Subject) -> tuple[str, ...]:
        """Return what the Pod's author should know."""
        return (*warnings(subject.pod), *override_warnings(subject, KNOWN_ANNOTATIONS))

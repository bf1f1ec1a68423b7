"""What a profile is to the pipeline: a vocabulary for selection, and rules that prepare and finish the Pod."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, Self, TypeVar

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.errors import Problem
from sidecar_injector.injection.decide import Rule, Subject
from sidecar_injector.injection.entries import Entry
from sidecar_injector.injection.status import Record
from sidecar_injector.injection.view import Pod

if TYPE_CHECKING:
    from sidecar_injector.injection.render import Overlay


class Words(NamedTuple):
    """The words of a vocabulary by which a Pod steers its injection.

    inject    -- label (or annotation) with `true` or `false`
    templates -- annotation that names templates
    prefixes  -- what stands before the `/` of the vocabulary's keys
    """

    inject: str
    templates: str
    prefixes: Collection[str]


_Plan = TypeVar("_Plan")


class FinishingRule(NamedTuple, Generic[_Plan]):
    """A rule that finishes a Pod by its plan; one that changes nothing returns the Pod that it was given.

    May raise PodRejected.
    """

    name: str
    apply: Callable[[_Plan, Pod], Pod]


class Plan(Protocol):
    """How a profile injects one Pod: everything that it works out for it, once."""

    @property
    def native(self) -> bool:
        """Whether sidecars become init containers that stay."""
        ...

    @property
    def view(self) -> Pod:
        """The Pod as templates see it."""
        ...

    @property
    def replaceable_volumes(self) -> Collection[str]:
        """Names of volumes in the Pod that are not its user's, because an earlier injection has left them."""
        ...

    def context(self) -> Mapping[str, object]:
        """Return what templates see beside, or instead of, that which they see in every profile."""
        ...

    def base(self, pod: Pod, overlays: Sequence["Overlay"]) -> Pod:
        """Return a Pod, prepared for these overlays to be merged into it."""
        ...

    def users(self, merged: Pod, overlays: Sequence["Overlay"]) -> Pod:
        """Return a Pod whose containers say what the user wrote of them: it goes on top of what was merged."""
        ...

    def finishing(self, users: Pod) -> Sequence[FinishingRule[Self]]:
        """Return the profile's rules for the Pod that overlays were merged into, in their order.

        users -- what `users` has returned for it
        """
        ...


class Profile(Protocol):
    """A vocabulary (labels and annotations) and what it adds to the steps of the pipeline."""

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules of selection, in order, after those of every profile; the last one always decides."""
        ...

    @property
    def words(self) -> Words:
        """The words by which a Pod steers its injection."""
        ...

    @property
    def record(self) -> Record:
        """How the profile writes down in a Pod what was injected."""
        ...

    def problems(self, config: CompiledConfig) -> Sequence[Problem]:
        """Return what is wrong with a config in the profile's own eyes; one that has some is not accepted."""
        ...

    def entries(self, config: CompiledConfig) -> tuple[Entry, ...]:
        """Return the config's entries in the webhook configuration: which Namespaces and Pods it is called for."""
        ...

    def check(self, subject: Subject) -> None:
        """Raise PodRejected for a Pod whose annotations say what is not allowed, naming all of them."""
        ...

    def template_names(self, subject: Subject) -> tuple[str, ...]:
        """Return the templates for this Pod, aliases expanded. Raises PodRejected for a name that is unknown."""
        ...

    def settled(self, subject: Subject) -> bool:
        """Tell whether an injected Pod needs nothing more, even if containers were added to it since."""
        ...

    def plan(self, subject: Subject) -> Plan:
        """Return how this Pod, as its user wrote it, is injected."""
        ...

    def warnings(self, subject: Subject) -> tuple[str, ...]:
        """Return what the Pod's author should know: misspelt or misplaced keys of the vocabulary."""
        ...

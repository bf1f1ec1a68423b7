"""A profile that is watched at work: the pipeline uses it as it uses the profile itself."""

from collections.abc import Sequence
from functools import partial
from typing import cast

from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.patch import same
from sidecar_injector.injection.profile import FinishingRule, Plan, Profile
from sidecar_injector.injection.view import Pod


class Watched:
    """Remembers which templates a profile chose, and which of its finishing rules changed something."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.templates: tuple[str, ...] = ()
        self.applied: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> object:
        return getattr(self._profile, name)

    @property
    def as_profile(self) -> Profile:
        """This object, as what it can be used for."""
        return cast(Profile, self)

    def template_names(self, subject: Subject) -> tuple[str, ...]:
        """Return the profile's choice of templates."""
        self.templates = self._profile.template_names(subject)
        return self.templates

    def plan(self, subject: Subject) -> Plan:
        """Return the profile's plan, watched."""
        return cast(Plan, _WatchedPlan(self._profile.plan(subject), self))


class _WatchedPlan:
    def __init__(self, plan: Plan, watched: Watched) -> None:
        self._plan = plan
        self._watched = watched

    def __getattr__(self, name: str) -> object:
        return getattr(self._plan, name)

    def finishing(self, users: Pod) -> Sequence[FinishingRule[Plan]]:
        """Return the plan's rules, each watched."""
        self._watched.applied = ()
        return [FinishingRule(rule.name, partial(self._apply, rule)) for rule in self._plan.finishing(users)]

    def _apply(self, rule: FinishingRule[Plan], _: Plan, pod: Pod) -> Pod:
        after = rule.apply(self._plan, pod)
        if not same(pod, after):
            self._watched.applied += (rule.name,)
        return after

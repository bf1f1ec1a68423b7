"""What each step of the pipeline takes, told apart from outside: functions that `injection.pipeline` calls by name,
and the profile's, are replaced by ones that keep the time and call them."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from sidecar_injector.injection import pipeline

STAGES: dict[str, tuple[str, ...]] = {
    "decide": ("decide",),
    "read the status, take an earlier injection out": ("_is_current", "without_injection", "without_entry"),
    "profile: warnings and checks": ("profile.warnings", "profile.template_names", "profile.check"),
    "profile: plan": ("profile.plan",),
    "render": ("render",),
    "conform": ("conform",),
    "conflicts": ("conflicts", "unused_placeholders"),
    "merge and finish": ("merge",),
    "guardrails": ("check_guardrails", "same"),
    "write the status": ("contributions", "changes", "with_status"),
    "patch": ("build_patch",),
}
"""The steps in order: names in the pipeline's module, or methods of the profile. None of them calls another one.

What the pipeline has no longer, under another name, shows as `the rest`; a test keeps this table current.
"""
REST = "the rest"


class Watch:
    """Keeps the processor time of each stage; what is inside another one of the table is not there twice."""

    def __init__(self) -> None:
        self.taken = dict.fromkeys(STAGES, 0)
        """Nanoseconds."""

    def over(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, watched."""
        taken, now = self.taken, time.thread_time_ns

        def watched(*words: Any, **more: Any) -> Any:
            started = now()
            try:
                return function(*words, **more)
            finally:
                taken[stage] += now() - started

        return watched


class WatchedProfile:
    """A profile some of whose methods are watched."""

    def __init__(self, profile: Any, watched: dict[str, Callable[..., Any]]) -> None:
        self._profile = profile
        self.__dict__.update(watched)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._profile, name)


@contextlib.contextmanager
def watching(profile: Any) -> Iterator[tuple[Watch, Any]]:
    """Watch the pipeline for a while; yields the watch, and the profile to be used meanwhile."""
    watch, methods, functions = Watch(), {}, {}
    for stage, names in STAGES.items():
        for name in names:
            owner, _, method = name.rpartition(".")
            if owner:
                methods[method] = watch.over(stage, getattr(profile, method))
            elif hasattr(pipeline, name):
                functions[name] = getattr(pipeline, name)
                setattr(pipeline, name, watch.over(stage, functions[name]))
    try:
        yield watch, WatchedProfile(profile, methods)
    finally:
        for name, function in functions.items():
            setattr(pipeline, name, function)

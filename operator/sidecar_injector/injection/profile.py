"""What a profile is to the pipeline: a vocabulary for selection, and rules that finish the Pod."""

from collections.abc import Mapping
from typing import Protocol

from sidecar_injector.injection.decide import Decision, Subject
from sidecar_injector.injection.view import Pod


class Profile(Protocol):
    """A vocabulary (labels and annotations) and what it adds to the steps of the pipeline."""

    def select(self, subject: Subject) -> Decision:
        """Decide by the profile's labels, annotations and policy; the rules of every profile have passed."""
        ...

    def template_names(self, subject: Subject) -> tuple[str, ...]:
        """Return the templates for this Pod, aliases expanded. Raises PodRejected for a name that is unknown."""
        ...

    def context(self, subject: Subject) -> Mapping[str, object]:
        """Return what templates see beside that which they see in every profile."""
        ...

    def finish(self, subject: Subject, before: Pod, after: Pod) -> Pod:
        """Return the merged Pod, finished by the profile's rules; `before` is the Pod as its user wrote it."""
        ...

    def warnings(self, subject: Subject) -> tuple[str, ...]:
        """Return what the Pod's author should know: misspelt or misplaced keys of the vocabulary."""
        ...

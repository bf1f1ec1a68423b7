"""What accompanies one review through Kopf: the server puts it there, the handler finds it and leaves the answer.

Server and handler run in the same task, so a context variable joins them. Kopf chooses and calls the handler; the
exact answer does not pass through Kopf's `patch`, which would deep-copy the object and compute a difference each time.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from sidecar_injector.config import Snapshot
from sidecar_injector.injection.review import Request


@dataclass(frozen=True)
class Answer:
    """The answer to a review.

    body    -- an AdmissionReview; or an error's text, for the API server to apply its own failurePolicy upon
    reason  -- the code that users see
    message -- the same in words, for the log
    failed  -- something went wrong, whatever the answer is
    """

    body: dict[str, Any] | str
    reason: str
    message: str = ""
    failed: bool = False

    @property
    def result(self) -> str:
        """What became of the review, for metrics and logs."""
        if isinstance(self.body, str):
            return "Failed"
        response = self.body["response"]
        return "Denied" if not response["allowed"] else "Patched" if "patch" in response else "Unchanged"


@dataclass
class Exchange:
    """One review, what is being served when it arrives, and its answer as soon as there is one.

    config     -- the name of the config that is asked; empty where a config itself is reviewed
    parameters -- keys and values from the path that was called
    """

    request: Request
    snapshot: Snapshot
    config: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    answer: Answer | None = None


current: ContextVar[Exchange] = ContextVar("exchange")


class Uncopied(dict[str, Any]):
    """A dict that a deep copy shares. Kopf copies the reviewed object on every request; ours is never changed."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> "Uncopied":
        return self


def for_kopf(review: dict[str, Any]) -> dict[str, Any]:
    """Return the review with the members of its object marked not to be copied; the original stays as it is.

    Metadata that is no map would make Kopf fail, and of a uid it would keep something in memory for ever.
    """
    request = dict(review["request"])
    request["userInfo"] = request.get("userInfo") or {}
    request["resource"] = {"group": "", **(request.get("resource") or {})}
    for member in ("object", "oldObject"):
        if request.get(member):
            found = request[member]
            members = {key: Uncopied(value) if type(value) is dict else value for key, value in found.items()}
            metadata = found.get("metadata")
            known = metadata.items() if type(metadata) is dict else ()
            members["metadata"] = Uncopied((key, value) for key, value in known if key != "uid")
            request[member] = members
    return {**review, "request": request}

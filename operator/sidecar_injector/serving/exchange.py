"""What accompanies one review; through Kopf, too: the server puts it there, the handler finds it and leaves the answer.

Server and handler run in the same task, so a context variable joins them. Kopf chooses and calls the handler; the
exact answer does not pass through Kopf's verdict, which has no room for all of it.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from sidecar_injector.config import Snapshot
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.review import Request
from sidecar_injector.injection.view import node_of


@dataclass(frozen=True)
class Answer:
    """The answer to a review, and to every other one that asks the same.

    body    -- an encoded response; or an error's text, for the API server to apply its own failurePolicy upon
    reason  -- the code that users see
    message -- the same in words, for the log
    failed  -- something went wrong, whatever the answer is
    patch   -- the JSON Patch document that goes with the response, if any
    denied  -- the object is refused
    """

    body: bytes | str
    reason: str
    message: str = ""
    failed: bool = False
    patch: bytes = b""
    denied: bool = False

    @property
    def result(self) -> str:
        """What became of the review, for metrics and logs."""
        if isinstance(self.body, str):
            return "Failed"
        return "Denied" if self.denied else "Patched" if self.patch else "Unchanged"

    @property
    def size(self) -> int:
        """Length of its texts, about."""
        return len(self.patch) + len(self.message) + len(self.body)


@dataclass
class Exchange:
    """One review, what is being served when it arrives, and its answer as soon as there is one.

    config     -- the name of the config that is asked; empty where a config itself is reviewed
    parameters -- keys and values from the path that was called
    facts      -- what is known about the cluster and may concern the object
    """

    request: Request
    snapshot: Snapshot
    config: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    facts: ClusterFacts = field(default_factory=ClusterFacts)
    answer: Answer | None = None


def exchange_about(
    request: Request, snapshot: Snapshot, config: str, parameters: Mapping[str, str], facts: ClusterFacts
) -> Exchange:
    """Return the exchange for the review of a Pod being created, with what concerns that Pod and nothing else."""
    about = facts.about(request.namespace, node_of(request.pod))
    return Exchange(request, snapshot, config, parameters, about)


current: ContextVar[Exchange] = ContextVar("exchange")


def for_kopf(review: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Kopf needs of a review to choose a handler; the handler finds the rest in the exchange.

    Of the object nothing is left: Kopf would copy it deeply, tie it into a cycle that only the garbage collector can
    undo, compare it with the old one, and remember the uid of every object but a new one for ever.
    """
    request = review["request"]
    handed = {
        "uid": request["uid"],
        "operation": request["operation"],
        "resource": {"group": "", **(request.get("resource") or {})},
        "subResource": request.get("subResource"),
        "userInfo": {},
        "object": {"metadata": {}},
    }
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "request": handed}

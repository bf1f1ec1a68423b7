"""AdmissionReviews as bytes, of which each that is sent is one of its own, as those of Pods of one workload are.

A review is encoded once. Then its holes are filled in place, which costs a microsecond: what loads a server must not
be busy itself.
"""

import json
import random
import re
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.workloads.model import Owner, Workload
from benchmarks.workloads.pods import SAFE, Hole, pod, uid_of

_HOLES = re.compile("|".join(re.escape(hole.value) for hole in Hole).encode())
STATEFUL_PODS = 5
"""Pods of each StatefulSet."""
_CONTROLLERS = {
    Owner.REPLICA_SET: "replicaset-controller",
    Owner.STATEFUL_SET: "statefulset-controller",
    Owner.DAEMON_SET: "daemon-set-controller",
    Owner.JOB: "job-controller",
    Owner.CRON_JOB: "job-controller",
}


def review(workload: Workload) -> dict[str, Any]:
    """Return the review of a Pod of this workload, with holes."""
    found = pod(workload)
    kind = {"group": "", "version": "v1", "kind": "Pod"}
    resource = {"group": "", "version": "v1", "resource": "pods"}
    name = {"name": found["metadata"]["name"]} if "name" in found["metadata"] else {}
    return {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": Hole.UID.value,
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            **name,
            "namespace": workload.namespace,
            "operation": "CREATE",
            "userInfo": _user(workload),
            "object": found,
            "oldObject": None,
            "dryRun": False,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        },
    }


class Envelope:
    """Bytes with holes, and whatever is before them (`head`), which has none."""

    def __init__(self, body: bytes, head: bytes = b"") -> None:
        self._bytes = bytearray(head + body)
        self._holes = [
            (Hole(match[0].decode()), match.start() + len(head), match.end() + len(head))
            for match in _HOLES.finditer(body)
        ]

    def __len__(self) -> int:
        return len(self._bytes)

    def fill(self, values: "Values") -> bytearray:
        """Return the bytes of the next Pod; they are the same object each time."""
        found = values.next()
        for hole, start, end in self._holes:
            self._bytes[start:end] = found[hole]
        return self._bytes


class Values:
    """What is filled in: always the same sequence for the same seed, and never twice the same uid in it."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._seed = seed
        self._count = 0
        self._minute = 29_000_000

    def next(self) -> dict[Hole, bytes]:
        """Return the values for one review."""
        self._count += 1
        count, bits = self._count, self._random.getrandbits(48)
        uid = b"%08x-%04x-4%03x-8%03x-%012x" % (count, self._seed & 0xFFFF, bits & 0xFFF, bits >> 36, bits)
        return {
            Hole.UID: uid,
            Hole.SUFFIX: "".join(self._random.choices(SAFE, k=5)).encode(),
            Hole.TIME: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_772_000_000 + count)).encode(),
            Hole.ORDINAL: b"%07d" % (1_000_000 + self._random.randrange(STATEFUL_PODS)),
            Hole.NODE: b"node-%05d" % (count % 5000),
            Hole.RUN: b"%08d" % (self._minute + count),
        }


def envelope(workload: Workload, head: bytes = b"") -> Envelope:
    """Return the review of a workload as bytes to be filled."""
    return Envelope(encoded(review(workload)), head)


def filled(workload: Workload, values: Values | None = None) -> dict[str, Any]:
    """Return the review of one Pod of this workload, decoded."""
    found: dict[str, Any] = json.loads(envelope(workload).fill(values or Values()))
    return found


def encoded(value: object) -> bytes:
    """Return JSON as the API server writes it: without blanks, and with what Go's encoding/json escapes."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for character in "&<>":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def rounds(envelopes: list[Envelope]) -> Iterator[Envelope]:
    """Yield envelopes without an end, in an order in which neighbours are of different workloads."""
    order = list(envelopes)
    random.Random(1).shuffle(order)
    while True:
        yield from order


def _user(workload: Workload) -> dict[str, Any]:
    if workload.owner is Owner.NOBODY:
        return {"username": "jane@example.org", "groups": ["developers", "system:authenticated"]}
    account = _CONTROLLERS[workload.owner]
    return {
        "username": f"system:serviceaccount:kube-system:{account}",
        "uid": uid_of(account),
        "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": [f"JTI={uid_of(account + 'token')}"]},
    }

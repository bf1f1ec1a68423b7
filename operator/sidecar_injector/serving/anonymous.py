"""What differs between Pods of one ReplicaSet, and nothing is decided by: it is taken out before anything is read.

The volume with the token of its ServiceAccount has a name drawn by lot. The API server's ServiceAccount plugin has
added it before we are asked, as `kube-api-access-` and five characters. Another name takes its place in the review, and
it is put into the answer last: nothing in between can tell, templates included. The bookkeeping of server-side apply
has times in it, and is left out.

Source: `plugin/pkg/admission/serviceaccount` and `k8s.io/apimachinery/pkg/util/rand` of Kubernetes.
"""

import re
from dataclasses import replace

from sidecar_injector.injection.review import Request

PREFIX = b"kube-api-access-"
NOBODYS = PREFIX + b"00000"
"""Stands for the name of a Pod's volume. No name is drawn with a zero, lest it be taken for an o."""

_NAME = re.compile(PREFIX + rb"[bcdfghjklmnpqrstvwxz2456789]{5}")
_ESCAPED = re.compile(rb"\\u00(?:2[dD]|3[0-9]|[67])")
"""A hyphen, digit or letter in JSON that is not written as itself, so that a name could go unnoticed."""


def anonymous(body: bytes) -> tuple[bytes, bytes]:
    """Return a review with another name for the volume, and the volume's own name.

    A review without the volume, or with other names that begin like it, is returned as it is, with an empty name.
    """
    at = body.find(PREFIX)
    name = body[at : at + len(NOBODYS)]
    if at < 0 or not _NAME.fullmatch(name) or body.count(PREFIX) != body.count(name) or _ESCAPED.search(body):
        return body, b""
    return body.replace(name, NOBODYS), name


def restored(answer: bytes, name: bytes) -> bytes:
    """Return a text of the answer in which the volume has its own name again."""
    return answer.replace(NOBODYS, name) if name else answer


def without_bookkeeping(request: Request) -> Request:
    """Return a request whose Pod has no `metadata.managedFields`."""
    metadata = request.pod.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return request
    bare = {key: value for key, value in metadata.items() if key != "managedFields"}
    return replace(request, pod={**request.pod, "metadata": bare})

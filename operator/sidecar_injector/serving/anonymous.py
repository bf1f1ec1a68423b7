"""What differs between Pods of one ReplicaSet, and nothing is decided by: it is taken out before anything is read.

The volume with the token of its ServiceAccount has a name drawn by lot. The API server's ServiceAccount plugin has
added it before we are asked, as `kube-api-access-` and five characters. Another name takes its place in the review, and
it is put into the answer last: nothing in between can tell, templates included. (The bookkeeping of server-side apply,
which has times in it, does not get as far: `parse_review` leaves it out.)

Source: `plugin/pkg/admission/serviceaccount` and `k8s.io/apimachinery/pkg/util/rand` of Kubernetes.
"""

import re

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

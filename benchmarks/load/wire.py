"""HTTP/1.1 as bytes: what an API server sends to a webhook, and just enough of the answer to know when it is there.

Headers as in https://github.com/kubernetes/apiserver/blob/master/pkg/admission/plugin/webhook/mutating/dispatcher.go
and of Go's client.
"""

import base64
import json
import re
from typing import Any

from benchmarks.load.orders import Target

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_PATCH = b'"patch"'
_UID = re.compile(rb'"uid": *"([^"]*)"')


def head(target: Target, length: int) -> bytes:
    """Return what precedes a body of this length."""
    name = f"{target.server_name or target.host}:{target.port}"
    return (
        f"POST {target.path} HTTP/1.1\r\n"
        f"Host: {name}\r\n"
        "User-Agent: kube-apiserver-admission\r\n"
        f"Content-Length: {length}\r\n"
        "Accept: application/json, */*\r\n"
        "Content-Type: application/json\r\n"
        "Accept-Encoding: gzip\r\n"
        "\r\n"
    ).encode()


def is_complete(answer: bytes | bytearray) -> bool:
    """Tell whether this is a whole answer. A body without an announced length is taken to be in chunks."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    found = _LENGTH.search(answer, 0, end)
    if found:
        return len(answer) >= end + 4 + int(found[1])
    # JSON holds no line breaks of this kind, so these bytes can only be the last chunk.
    return answer.endswith(b"\r\n0\r\n\r\n")


def problem(answer: bytes | bytearray, uid: bytes, *, patches: bool) -> str:
    """Return what is wrong with the answer to the review with this uid, as far as a glance tells; empty if nothing."""
    if not answer.startswith(b"HTTP/1.1 200"):
        return f"HTTP {bytes(answer[9:12]).decode('ascii', 'replace')}"
    if uid in answer and (not patches or _PATCH in answer):
        return ""
    body = body_of(bytes(answer))  # what is looked for may be in two chunks
    if uid not in body:
        return "another uid"
    return "no patch" if patches and _PATCH not in body else ""


def uid_of(request: bytes | bytearray) -> bytes:
    """Return the uid of a review that is being sent."""
    found = _UID.search(request)
    assert found
    return found[1]


def body_of(answer: bytes) -> bytes:
    """Return the body of a whole answer."""
    beginning, _, rest = answer.partition(b"\r\n\r\n")
    if not _CHUNKED.search(beginning):
        return rest
    parts: list[bytes] = []
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if length == 0:
            return b"".join(parts)
        parts.append(rest[:length])
        rest = rest[length + 2 :]


def verify(answer: bytes, uid: bytes, *, patches: bool) -> str:
    """Return what is wrong with an answer that is looked at as an API server would; empty if nothing."""
    try:
        review = json.loads(body_of(answer))
        response: dict[str, Any] = review["response"]
        kinds = review["apiVersion"], review["kind"]
        if kinds != ("admission.k8s.io/v1", "AdmissionReview"):
            return f"the answer is a {kinds[1]} of {kinds[0]}"
        if response["uid"] != uid.decode():
            return f"the answer is for {response['uid']}, not for {uid.decode()}"
        if response["allowed"] is not True:
            return f"refused: {response.get('status', {}).get('message')}"
        if not patches:
            return ""
        operations = json.loads(base64.b64decode(response.get("patch", "")) or b"[]")
        return "" if operations and response.get("patchType") == "JSONPatch" else "allowed, but without a patch"
    except (ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}; the answer begins with {answer[:300]!r}"

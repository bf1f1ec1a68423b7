"""The AdmissionReview that goes back.

It is made in two steps: a response says what was decided, and is the same for all reviews that are decided so;
`answer` makes it the answer to one of them.

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response
"""

import base64
from collections.abc import Mapping, Sequence

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.patch import Operation
from sidecar_injector.injection.review import REVIEW_API_VERSION
from sidecar_injector.names import AuditKey, Reason
from sidecar_injector.templating.strict_json import write_document

WARNING_LENGTH = 256
"""Characters, on one line: the API server drops warnings with line breaks, and cuts long ones."""
WARNINGS_IN_ALL = 8

Response = dict[str, object]


def respond(outcome: Outcome, config: CompiledConfig) -> Response:
    """Return the response to what was decided by `config`: allowed. Its patch is added by `answer`."""
    audit = {
        AuditKey.CONFIG: config.name,
        AuditKey.REVISION: config.digest,
        AuditKey.REASON: str(outcome.decision.reason),
    }
    return _response(audit, outcome.warnings)


def allow(reason: Reason, message: str = "", warnings: Sequence[str] = ()) -> Response:
    """Return a response that lets the object through as it is."""
    response = _response({AuditKey.REASON: str(reason)}, warnings)
    return {**response, "status": {"message": message}} if message else response


def deny(reason: Reason, message: str, code: int) -> Response:
    """Return a response that refuses the object; `code` is the HTTP status that the user's client will see."""
    response = _response({AuditKey.REASON: str(reason)}, ())
    return {**response, "allowed": False, "status": {"code": code, "message": message}}


def _response(audit: Mapping[AuditKey, str], warnings: Sequence[str]) -> Response:
    response: Response = {"allowed": True, "auditAnnotations": {str(k): v for k, v in audit.items()}}
    if warnings:
        response["warnings"] = [" ".join(warning.split())[:WARNING_LENGTH] for warning in warnings[:WARNINGS_IN_ALL]]
    return response


def document(patch: Sequence[Operation]) -> bytes:
    """Return a patch as a JSON Patch document; nothing if it has no operations."""
    return write_document(patch) if patch else b""


def encode(response: Response) -> bytes:
    """Return a response as JSON."""
    return write_document(response)


def answer(uid: str, response: bytes, patch: bytes = b"") -> bytes:
    """Return the body of the answer to one review: an encoded response, and a JSON Patch document if there is one.

    The document is the most of it, and is not scanned again: base64 has no character that JSON would have to escape.
    """
    parts = [_BEGINNING, response.removesuffix(b"}"), b',"uid":', write_document(uid)]
    if patch:
        parts += [b',"patchType":"JSONPatch","patch":"', base64.b64encode(patch), b'"']
    parts.append(b"}}")
    return b"".join(parts)


_BEGINNING = encode({"apiVersion": REVIEW_API_VERSION, "kind": "AdmissionReview"}).removesuffix(b"}") + b',"response":'

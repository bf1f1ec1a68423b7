"""The AdmissionReview that goes back.

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response
"""

import base64
import json
from collections.abc import Mapping, Sequence

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.review import REVIEW_API_VERSION
from sidecar_injector.names import AuditKey, Reason

WARNING_LENGTH = 256
"""Characters, on one line: the API server drops warnings with line breaks, and cuts long ones."""
WARNINGS_IN_ALL = 8


def respond(uid: str, outcome: Outcome, config: CompiledConfig) -> dict[str, object]:
    """Return the answer to a review that was decided by `config`: allowed, with the patch if there is one."""
    audit = {
        AuditKey.CONFIG: config.name,
        AuditKey.REVISION: config.digest,
        AuditKey.REASON: str(outcome.decision.reason),
    }
    response = _response(uid, audit, outcome.warnings)
    if outcome.patch:
        document = json.dumps(outcome.patch, ensure_ascii=False, separators=(",", ":"))
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(document.encode("utf-8", "surrogatepass")).decode("ascii")
    return _review(response)


def allow(uid: str, reason: Reason, message: str = "", warnings: Sequence[str] = ()) -> dict[str, object]:
    """Return an answer that lets the object through as it is."""
    response = _response(uid, {AuditKey.REASON: str(reason)}, warnings)
    if message:
        response["status"] = {"message": message}
    return _review(response)


def deny(uid: str, reason: Reason, message: str, code: int = 403) -> dict[str, object]:
    """Return an answer that refuses the object; `code` is the HTTP status that the user's client will see."""
    response = _response(uid, {AuditKey.REASON: str(reason)}, ())
    return _review({**response, "allowed": False, "status": {"code": code, "message": message}})


def _response(uid: str, audit: Mapping[AuditKey, str], warnings: Sequence[str]) -> dict[str, object]:
    response: dict[str, object] = {
        "uid": uid,
        "allowed": True,
        "auditAnnotations": {str(k): v for k, v in audit.items()},
    }
    if warnings:
        response["warnings"] = [" ".join(warning.split())[:WARNING_LENGTH] for warning in warnings[:WARNINGS_IN_ALL]]
    return response


def _review(response: Mapping[str, object]) -> dict[str, object]:
    return {"apiVersion": REVIEW_API_VERSION, "kind": "AdmissionReview", "response": dict(response)}

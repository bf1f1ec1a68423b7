"""Where what a user says of a container and what a template says of it cannot both be: the template gives way.

Each of the two may be right alone, and the API server would refuse the Pod that has both.
Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container
"""

from collections.abc import Mapping

from sidecar_injector.config.quantities import amount
from sidecar_injector.injection.view import Container, part


def fitted(container: Container, users: Container) -> Container:
    """Return a merged container without what contradicts its user's own words."""
    result = dict(container)
    context = part(container, "securityContext")
    if context and (changed := _fitted_context(context, part(users, "securityContext"))) is not context:
        result["securityContext"] = changed
    resources = part(container, "resources")
    if resources and (fitting := _fitted_resources(resources, part(users, "resources"))) is not resources:
        result["resources"] = fitting
    return result


def _fitted_context(context: Mapping[str, object], users: Mapping[str, object]) -> Mapping[str, object]:
    """A privileged container can always gain privileges, whatever it says, and root is no other user."""
    if users.get("runAsUser") == 0 and "runAsNonRoot" not in users and context.get("runAsNonRoot") is True:
        context = {key: value for key, value in context.items() if key != "runAsNonRoot"}
    if context.get("privileged") is not True or context.get("allowPrivilegeEscalation") is not False:
        return context
    given_way = "allowPrivilegeEscalation" if "privileged" in users else "privileged"
    return {key: value for key, value in context.items() if key != given_way}


def _fitted_resources(resources: Mapping[str, object], users: Mapping[str, object]) -> Mapping[str, object]:
    """A request may not be above its limit: the one that the user has not given goes."""
    requests, limits = part(resources, "requests"), part(resources, "limits")
    mine, most = part(users, "requests"), part(users, "limits")
    clashing = [
        name
        for name in requests
        if name in limits and not (name in mine and name in most) and _above(requests[name], limits[name])
    ]
    if not clashing:
        return resources
    kept_limits = {name: value for name, value in limits.items() if name not in clashing or name not in mine}
    kept_requests = {name: value for name, value in requests.items() if name not in clashing or name in mine}
    both = {"requests": kept_requests, "limits": kept_limits}
    return {**resources, **{kind: kept for kind, kept in both.items() if kind in resources}}


def _above(request: object, limit: object) -> bool:
    asked, most = amount(request), amount(limit)
    return asked is not None and most is not None and asked > most

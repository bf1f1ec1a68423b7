"""What the values of Istio's labels and annotations may look like: in words, and as a check.

A check takes the value and returns what is wrong with it, as a few words, or None. It is linear in the value's length:
an annotation may have 256 KiB, and it comes from whoever may create Pods.

Sources: https://istio.io/latest/docs/reference/config/annotations/ for what the values are; what makes Istio refuse a
Pod is refused here, and so is what would only fail later, in a container that is being started.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_interface

from sidecar_injector.config.quantities import QUANTITY
from sidecar_injector.injection.json_text import json_of
from sidecar_injector.profiles.istio import proxy_config
from sidecar_injector.profiles.istio.prometheus import scrape_targets
from sidecar_injector.profiles.istio.reading import go_bool

Check = Callable[[str], str | None]

REFUSED = "the Pod is refused"
NOT_GIVEN = "it counts as not given"
LEFT_OUT = "what does not fit is left out"

_SHOWN = 80
_PROBLEM = 1000
_BLANKS = " \t\r\n"


@dataclass(frozen=True)
class Format:
    """What a value may be.

    allowed   -- in words, after "allowed: "
    check     -- finds what is wrong with a value; None if any text will do
    otherwise -- what becomes of a value that is not allowed; empty if there is none
    """

    allowed: str
    check: Check | None = None
    otherwise: str = ""


def shown(text: str) -> str:
    """Return a text of the user's as messages show it: quoted, on one line, and cut."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _words(*allowed: str) -> Check:
    return lambda text: None if text in allowed else "none of these"


def _bool(text: str) -> str | None:
    return "neither" if go_bool(text) is None else None


def _number(most: int) -> Check:
    return lambda text: None if _is_number(text, most) else "no such number"


_DIGITS = re.compile(r"[0-9]{1,20}")


def _is_number(text: str, most: int) -> bool:
    return bool(_DIGITS.fullmatch(text)) and int(text) <= most


def _listed(text: str, fits: Callable[[str], bool], what: str) -> str | None:
    """Judge the items of a comma list, each once."""
    wrong = next((item for item in dict.fromkeys(text.split(",")) if not fits(item)), None)
    if wrong is None:
        return None
    return f"no {what}" if wrong == text else f"{shown(wrong)} is no {what}"


_MOST_PORT = 2**16 - 1


def _ports(text: str) -> str | None:
    """Judge a list of ports; blanks around them, as a block scalar leaves them, are allowed, and so is no port."""
    if not text.strip(_BLANKS):
        return None
    return _listed(text, lambda item: _is_number(item.strip(_BLANKS), _MOST_PORT), "port")


def _ranges(text: str) -> str | None:
    return _listed(text, _is_range, "CIDR") if text else None


_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")


def _is_range(item: str) -> bool:
    """Tell whether this is an address and a prefix length; the host's bits may be set."""
    address, _, length = item.partition("/")
    if not _LENGTH.fullmatch(length) or "%" in address:
        return False
    try:
        ip_interface(item)
    except ValueError:
        return False
    return True


def _or_star(check: Check) -> Check:
    return lambda text: None if text == "*" else check(text)


_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}")
"""Linux: at most 15 characters (IFNAMSIZ less the final null)."""


def _interfaces(text: str) -> str | None:
    return _listed(text, lambda item: bool(_INTERFACE.fullmatch(item)), "interface name") if text else None


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _quantity(text: str) -> str | None:
    if _CONTROL.search(text):
        return "it has control characters"
    if text.startswith("-"):
        return "it is negative"
    return None if QUANTITY.fullmatch(text) else "no quantity"


def _overrides(text: str) -> str | None:
    """Judge the containers that a user had written before an injection."""
    document = json_of(text)
    if not isinstance(document, Mapping):
        return "no JSON object"
    for field in ("containers", "initContainers"):
        value = document.get(field)
        if value is not None and not (isinstance(value, list) and all(map(_is_named, value))):
            return f"its {field} are no list of containers with names"
    return None


def _is_named(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("name"), str) and bool(value["name"])


def _volumes(text: str) -> str | None:
    """Judge volumes or mounts: JSON objects by name, or a list of them with names in them."""
    document = json_of(text)
    if isinstance(document, list):
        return None if all(map(_is_named, document)) else "not all items are JSON objects with a name"
    return _object_of(document, (dict,), "JSON object")


def _variables(text: str) -> str | None:
    return _object_of(json_of(text), (str, int, float), "text")


def _object_of(document: object, kinds: tuple[type, ...], what: str) -> str | None:
    if not isinstance(document, Mapping):
        return "no JSON object"
    wrong = next((key for key, value in document.items() if not isinstance(value, kinds)), None)
    return None if wrong is None else f"{shown(wrong)} is no {what}"


def _networks(text: str) -> str | None:
    """Judge a list of networks for Multus: names and commas, or a JSON list."""
    is_json = text.lstrip(_BLANKS).startswith(("[", "{"))
    return None if not is_json or isinstance(json_of(text), list) else "no JSON list"


def _targets(text: str) -> str | None:
    return "no such list" if scrape_targets(text) is None else None


def _image(text: str) -> str | None:
    return None if "/" in text else "it has no '/'"


def _config_map(text: str) -> str | None:
    return None if _NAME.fullmatch(text) and len(text) <= _LONGEST_NAME else "no such name"


_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253


def _proxy_config(text: str) -> str | None:
    problems = "; ".join(proxy_config.problems(text))
    return (problems if len(problems) <= _PROBLEM else f"{problems[:_PROBLEM]}…") or None


_PORTS = f"ports from 0 to {_MOST_PORT} with commas between them"
_CIDRS = "CIDRs such as 10.0.0.0/8 or fd00::/8 with commas between them"
_INTERFACES = (
    "names of interfaces (a letter, then letters, digits, '_', '.' and '-', at most 15) with commas between them"
)

ANY = Format("any text")
SWITCH = Format("true, false", _words("true", "false"), NOT_GIVEN)
ONLY_TRUE = Format("true, false", _words("true", "false"), "it counts as false")
LENIENT_BOOL = Format("true, false (or t, f, 1, 0)", _bool, NOT_GIVEN)
BOOL = Format(LENIENT_BOOL.allowed, _bool, REFUSED)
UINT16 = Format(f"a number from 0 to {_MOST_PORT}", _number(_MOST_PORT), REFUSED)
INT32 = Format(f"a number from 0 to {2**31 - 1}", _number(2**31 - 1), REFUSED)
QUANTITIES = Format("a quantity such as 100m, 0.5, 64Mi or 1G, not negative", _quantity, REFUSED)
MODE = Format("REDIRECT, TPROXY, NONE", _words("REDIRECT", "TPROXY", "NONE"), REFUSED)
PORTS = Format(f"{_PORTS}, or nothing", _ports, REFUSED)
PORTS_OR_STAR = Format(f"'*', {_PORTS}, or nothing", _or_star(_ports), REFUSED)
RANGES = Format(f"{_CIDRS}, or nothing", _ranges, REFUSED)
RANGES_OR_STAR = Format(f"'*', {_CIDRS}, or nothing", _or_star(_ranges), REFUSED)
INTERFACES = Format(f"{_INTERFACES}, or nothing", _interfaces, REFUSED)
OVERRIDES = Format('JSON such as {"containers": [{"name": "app"}], "initContainers": []}', _overrides, REFUSED)
PROXY_CONFIG = Format("a ProxyConfig as YAML or JSON, with valid fields", _proxy_config, REFUSED)
IMAGE = Format("an image with a '/' in it", _image, NOT_GIVEN)
CONFIG_MAP = Format("the name of a ConfigMap", _config_map, REFUSED)
VOLUMES = Format('JSON such as {"data": {"emptyDir": {}}}', _volumes, LEFT_OUT)
MOUNTS = Format('JSON such as {"data": {"mountPath": "/data"}}', _volumes, LEFT_OUT)
VARIABLES = Format('JSON such as {"DD_ENV": "prod"}', _variables, LEFT_OUT)
NETWORKS = Format("names with commas between them, or a JSON list", _networks, "nothing is appended")
TARGETS = Format("port:path with commas between them, such as 8080:/metrics,9100:/custom", _targets, NOT_GIVEN)

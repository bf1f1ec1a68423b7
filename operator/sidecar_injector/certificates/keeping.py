"""What is to become of a stored CA: a pure function of what is stored, what is in memory, and the time.

Every replica asks it, and writes what it returns where what is stored has not changed meanwhile: so one writes, and the
others find that there is nothing left to do.
"""

import dataclasses
import datetime
from dataclasses import dataclass
from enum import Enum, auto

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from sidecar_injector.certificates.authority import CA_LIFETIME, Authority, new_authority, trusted_of
from sidecar_injector.certificates.renewal import needs_renewal

OVERLAP = datetime.timedelta(hours=24)
"""How long a CA's predecessors stay trusted. Replicas that run need a minute; this is for those that come back."""
TIME = "%Y-%m-%dT%H:%M:%SZ"


class Cause(Enum):
    """Why a CA is stored, or what is trusted besides it changed."""

    MADE = auto()
    """There was none."""
    REPAIRED = auto()
    """What was stored is lost or cannot be used."""
    RENEWED = auto()
    """Two thirds of its life were over."""
    ROTATED = auto()
    """Somebody asked for a new one."""
    REVOKED = auto()
    """Somebody asked for a new one, without an overlap."""
    ADOPTED = auto()
    """Somebody else has stored a CA: the one in memory stays trusted for a while."""
    PRUNED = auto()
    """The overlap is over."""


@dataclass(frozen=True)
class Notes:
    """What stands next to a stored CA. People write `rotate` and `revoke`; the rest is ours.

    rotate, revoke   -- a request, if it differs from the answer
    rotated, revoked -- the last request that was answered
    since            -- which CA replicas have taken note of, and when
    """

    rotate: str = ""
    rotated: str = ""
    revoke: str = ""
    revoked: str = ""
    since: str = ""


@dataclass(frozen=True)
class Step:
    """What is to be stored, and why."""

    cause: Cause
    authority: Authority
    notes: Notes


def next_step(
    stored: Authority | None,
    notes: Notes,
    held: Authority | None,
    now: datetime.datetime,
    lifetime: datetime.timedelta = CA_LIFETIME,
) -> Step | None:
    """Return what is to be stored now; None: it is well as it is.

    stored -- None if there is none, or it cannot be used
    held   -- the CA in memory: what it signed shall be trusted on
    """
    if notes.revoke not in ("", notes.revoked):
        return _noted(Cause.REVOKED, new_authority(now, (), lifetime), notes, now)
    if stored is None:
        return _made(notes, held, now, lifetime)
    asked = notes.rotate not in ("", notes.rotated)
    trusted = _with_held(stored, notes, held, now)
    if asked or needs_renewal(stored.certificate, now):
        return _noted(Cause.ROTATED if asked else Cause.RENEWED, new_authority(now, trusted, lifetime), notes, now)
    since = noted_since(notes, stored.certificate)
    if since is None and len(trusted) > 1:
        return _noted(Cause.ADOPTED, dataclasses.replace(stored, trusted=trusted), notes, now)
    if since is not None and len(stored.trusted) > 1 and now - since >= OVERLAP:
        return Step(Cause.PRUNED, dataclasses.replace(stored, trusted=(stored.certificate,)), notes)
    return None


def noted_since(notes: Notes, certificate: x509.Certificate) -> datetime.datetime | None:
    """Return since when replicas know this CA; None if they have not noted it."""
    name, _, time = notes.since.partition(" ")
    if name != _name(certificate):
        return None
    try:
        return datetime.datetime.strptime(time, TIME).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def _made(notes: Notes, held: Authority | None, now: datetime.datetime, lifetime: datetime.timedelta) -> Step:
    if held is None:
        return _noted(Cause.MADE, new_authority(now, (), lifetime), notes, now)
    if notes.rotate not in ("", notes.rotated) or needs_renewal(held.certificate, now):
        return _noted(Cause.REPAIRED, new_authority(now, held.trusted, lifetime), notes, now)
    return _noted(Cause.REPAIRED, held, notes, now)


def _with_held(
    stored: Authority, notes: Notes, held: Authority | None, now: datetime.datetime
) -> tuple[x509.Certificate, ...]:
    """Return what is trusted besides a CA, the one in memory included unless a replica has seen to that already."""
    if held is None or noted_since(notes, stored.certificate) is not None:
        return stored.trusted
    return trusted_of(stored.certificate, [held.certificate, *stored.trusted], now)


def _noted(cause: Cause, authority: Authority, notes: Notes, now: datetime.datetime) -> Step:
    since = f"{_name(authority.certificate)} {now:{TIME}}"
    return Step(
        cause,
        authority,
        dataclasses.replace(
            notes, rotated=notes.rotate or notes.rotated, revoked=notes.revoke or notes.revoked, since=since
        ),
    )


def _name(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()[:16]

"""What becomes of a stored CA."""

import dataclasses
import datetime
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from sidecar_injector.certificates import OVERLAP, Authority, Cause, Notes, Step, new_authority, next_step
from sidecar_injector.certificates.keeping import noted_since

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
LONG_AGO = NOW - timedelta(days=2)
OURS, THEIRS, AGED = new_authority(NOW), new_authority(NOW), new_authority(NOW - timedelta(days=3000))
EXPIRED = new_authority(NOW - timedelta(days=4000))
FOLLOWED = dataclasses.replace(OURS, trusted=(OURS.certificate, AGED.certificate))
"""A CA with a predecessor."""


def noted(authority: Authority, since: datetime.datetime = NOW, **others: str) -> Notes:
    """Return the notes that a replica would have made."""
    name = authority.certificate.fingerprint(hashes.SHA256()).hex()[:16]
    return Notes(since=f"{name} {since:%Y-%m-%dT%H:%M:%SZ}", **others)


@pytest.mark.parametrize(
    ("stored", "notes", "held"),
    [
        (OURS, Notes(), None),
        (OURS, Notes(), OURS),
        (OURS, noted(OURS), OURS),
        (OURS, noted(OURS), THEIRS),
        (OURS, noted(OURS, rotate="1", rotated="1", revoke="2", revoked="2"), OURS),
        (OURS, noted(OURS, rotated="1", revoked="2"), OURS),
        (OURS, noted(OURS, LONG_AGO), OURS),
        (OURS, Notes(), EXPIRED),
        (FOLLOWED, noted(OURS), OURS),
        (FOLLOWED, noted(OURS, NOW - OVERLAP + timedelta(seconds=1)), OURS),
    ],
    ids=[
        "found at the start, not noted, alone",
        "held, not noted, alone",
        "held and noted",
        "noted by another replica: its predecessors are that replica's business",
        "with requests that are answered",
        "with requests that were withdrawn",
        "noted long ago",
        "in the place of one that has expired",
        "in its overlap",
        "at the end of its overlap",
    ],
)
def test_nothing_becomes_of_a_ca_that_is_well(stored: Authority, notes: Notes, held: Authority | None) -> None:
    assert next_step(stored, notes, held, NOW) is None


@pytest.mark.parametrize(
    ("stored", "notes", "held", "cause", "signs", "also_trusted"),
    [
        (None, Notes(), None, Cause.MADE, "new", []),
        (None, Notes(), OURS, Cause.REPAIRED, "ours", []),
        (None, Notes(), FOLLOWED, Cause.REPAIRED, "ours", [AGED]),
        (None, Notes(), AGED, Cause.REPAIRED, "new", [AGED]),
        (None, Notes(), EXPIRED, Cause.REPAIRED, "new", []),
        (None, Notes(rotate="1"), OURS, Cause.REPAIRED, "new", [OURS]),
        (AGED, Notes(), None, Cause.RENEWED, "new", [AGED]),
        (AGED, Notes(), OURS, Cause.RENEWED, "new", [AGED, OURS]),
        (OURS, Notes(rotate="1"), OURS, Cause.ROTATED, "new", [OURS]),
        (OURS, noted(OURS, rotate="2", rotated="1"), OURS, Cause.ROTATED, "new", [OURS]),
        (FOLLOWED, noted(OURS, rotate="1"), OURS, Cause.ROTATED, "new", [OURS, AGED]),
        (OURS, Notes(revoke="1"), OURS, Cause.REVOKED, "new", []),
        (FOLLOWED, noted(OURS, rotate="1", revoke="1"), THEIRS, Cause.REVOKED, "new", []),
        (None, Notes(revoke="1"), OURS, Cause.REVOKED, "new", []),
        (THEIRS, Notes(), OURS, Cause.ADOPTED, "theirs", [OURS]),
        (THEIRS, noted(OURS), OURS, Cause.ADOPTED, "theirs", [OURS]),
        (THEIRS, Notes(since="garbage"), OURS, Cause.ADOPTED, "theirs", [OURS]),
        (FOLLOWED, Notes(), None, Cause.ADOPTED, "ours", [AGED]),
        (FOLLOWED, noted(OURS, NOW - OVERLAP), OURS, Cause.PRUNED, "ours", []),
        (FOLLOWED, noted(OURS, NOW - OVERLAP), THEIRS, Cause.PRUNED, "ours", []),
    ],
)
def test_what_becomes_of_a_ca(
    stored: Authority | None,
    notes: Notes,
    held: Authority | None,
    cause: Cause,
    signs: str,
    also_trusted: list[Authority],
) -> None:
    step = next_step(stored, notes, held, NOW)
    assert step is not None
    assert step.cause is cause
    known = {OURS.certificate: "ours", THEIRS.certificate: "theirs"}
    assert known.get(step.authority.certificate, "new") == signs
    assert step.authority.trusted == (step.authority.certificate, *(each.certificate for each in also_trusted))


@pytest.mark.parametrize(("request_", "answer"), [("rotate", "rotated"), ("revoke", "revoked")])
def test_a_request_is_answered_once(request_: str, answer: str) -> None:
    step = next_step(OURS, Notes(**{request_: "today"}), OURS, NOW)
    assert step is not None
    assert getattr(step.notes, answer) == "today"
    assert next_step(step.authority, step.notes, OURS, NOW) is None
    again = dataclasses.replace(step.notes, **{request_: "tomorrow"})
    assert next_step(step.authority, again, OURS, NOW) is not None


def test_a_new_ca_lives_as_long_as_asked_for() -> None:
    step = next_step(None, Notes(), None, NOW, timedelta(hours=1))
    assert step is not None
    assert step.authority.certificate.not_valid_after_utc == NOW + timedelta(hours=1)


def test_an_overlap_begins_when_a_replica_notes_it() -> None:
    """Not when the CA was made: somebody may put an old one there."""
    older = new_authority(NOW - 30 * OVERLAP)
    step = next_step(older, Notes(), OURS, NOW)
    assert step is not None
    assert noted_since(step.notes, older.certificate) == NOW
    assert next_step(step.authority, step.notes, step.authority, NOW + OVERLAP - timedelta(minutes=1)) is None
    over = next_step(step.authority, step.notes, step.authority, NOW + OVERLAP)
    assert over is not None
    assert over.cause is Cause.PRUNED


@given(
    stored=st.sampled_from([None, OURS, THEIRS, AGED, FOLLOWED]),
    held=st.lists(st.sampled_from([None, OURS, THEIRS, AGED, FOLLOWED, EXPIRED]), min_size=2, max_size=4),
    notes=st.builds(
        Notes,
        rotate=st.sampled_from(["", "1"]),
        revoke=st.sampled_from(["", "1"]),
        since=st.sampled_from(["", noted(OURS).since, noted(OURS, LONG_AGO).since]),
    ),
    turns=st.lists(st.integers(0, 3), max_size=12),
)
def test_replicas_agree_in_whatever_order_they_look(
    stored: Authority | None, held: list[Authority | None], notes: Notes, turns: list[int]
) -> None:
    """Each look is whole, as the API server's optimistic concurrency makes it; then it holds what is stored."""
    steps: list[Step] = []
    for turn in [*turns, *range(len(held)), *range(len(held))]:
        who = turn % len(held)
        step = next_step(stored, notes, held[who], NOW)
        if step is not None:
            steps.append(step)
            stored, notes = step.authority, step.notes
        held[who] = stored
    assert len({authority and authority.certificate for authority in held}) == 1
    assert all(each is not None and next_step(stored, notes, each, NOW) is None for each in held)
    assert len([step for step in steps if step.cause is not Cause.PRUNED]) <= 2

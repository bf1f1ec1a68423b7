"""The serving certificate and its renewal."""

import asyncio
import datetime
import ssl

import pytest

from sidecar_injector.certificates import Authority, bundle, new_authority
from sidecar_injector.serving import tls as module
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.tls import SETTLING_SECONDS, STARTING_SECONDS, Tls
from sidecar_injector.settings import Settings

DAY = datetime.timedelta(days=1)


class Clock:
    """Both clocks of the module, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime.datetime.now(datetime.UTC)
        monkeypatch.setattr(module, "_now", lambda: self.now)
        monkeypatch.setattr(module, "_uptime", lambda: self.now.timestamp())

    def pass_(self, seconds: float) -> None:
        self.now += datetime.timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def authority(clock: Clock) -> Authority:
    return new_authority(clock.now)


@pytest.fixture
def tls(authority: Authority) -> Tls:
    made = Tls(Settings(namespace="mesh"), Metrics())
    made.adopt(authority)
    made.published(made.ca_bundle)
    return made


async def presented(tls: Tls, trusted: bytes) -> bytes:
    """Return the certificate that a client gets which trusts this bundle; raises ssl.SSLError if it does not trust."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=tls.context)
    client = ssl.create_default_context(cadata=trusted.decode())
    async with server:
        host, port = server.sockets[0].getsockname()
        _, writer = await asyncio.open_connection(host, port, ssl=client, server_hostname="sidecar-injector.mesh.svc")
        certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return certificate


def test_a_client_that_trusts_the_bundle_is_served(tls: Tls) -> None:
    assert asyncio.run(presented(tls, tls.ca_bundle))


def test_a_client_that_trusts_another_ca_is_not(tls: Tls, clock: Clock) -> None:
    with pytest.raises(ssl.SSLError):
        asyncio.run(presented(tls, new_authority(clock.now).bundle_pem))


def test_at_two_thirds_of_its_life_the_certificate_is_replaced_in_place(clock: Clock) -> None:
    today = clock.now  # OpenSSL has a clock of its own
    clock.now = today - 61 * DAY
    tls = Tls(Settings(namespace="mesh"), Metrics())
    tls.adopt(new_authority(clock.now))
    before = asyncio.run(presented(tls, tls.ca_bundle))
    clock.now = today - 2 * DAY
    assert not tls.renew()
    clock.now = today
    assert tls.renew()
    assert not tls.renew()
    assert asyncio.run(presented(tls, tls.ca_bundle)) != before


def test_a_new_ca_is_published_before_its_certificate_is_used(tls: Tls, authority: Authority, clock: Clock) -> None:
    new = new_authority(clock.now, authority.trusted)
    tls.adopt(new)
    assert tls.ca_bundle == bundle([new.certificate, authority.certificate])
    clock.pass_(SETTLING_SECONDS * 2)
    assert not tls.renew(), "nobody was told yet"
    tls.published(tls.ca_bundle)
    assert not tls.renew(), "they were told just now"
    asyncio.run(presented(tls, authority.bundle_pem))
    clock.pass_(SETTLING_SECONDS)
    assert tls.renew()
    asyncio.run(presented(tls, new.certificate_pem))


def test_a_foreign_ca_is_taken_over_with_an_overlap(tls: Tls, authority: Authority, clock: Clock) -> None:
    foreign = new_authority(clock.now)
    tls.adopt(foreign)
    assert tls.ca_bundle == bundle([foreign.certificate, authority.certificate])
    tls.published(tls.ca_bundle)
    clock.pass_(SETTLING_SECONDS)
    assert tls.renew()
    assert tls.ca_bundle == foreign.bundle_pem, "the old one is needed no longer"


def test_publishing_the_same_again_does_not_start_the_wait_anew(tls: Tls, authority: Authority, clock: Clock) -> None:
    tls.adopt(new_authority(clock.now, authority.trusted))
    for _ in range(3):
        tls.published(tls.ca_bundle)
        clock.pass_(SETTLING_SECONDS / 2)
    assert tls.renew()


def test_the_probe_finds_out_whether_the_listener_answers(tls: Tls) -> None:
    async def probe() -> tuple[str, str]:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=tls.context)
        port = server.sockets[0].getsockname()[1]
        async with server:
            good = await tls.probe("", port)
        return good, await tls.probe("127.0.0.1", port)

    good, bad = asyncio.run(probe())
    assert good == ""
    assert "refused" in bad or "Connect call failed" in bad


def test_a_listener_on_the_address_of_a_host_name_is_probed_there(tls: Tls) -> None:
    async def probe() -> str:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=tls.context)
        async with server:
            return await tls.probe("localhost", server.sockets[0].getsockname()[1])

    assert asyncio.run(probe()) == ""


def test_the_probe_does_not_trust_a_certificate_of_somebody_else(tls: Tls, clock: Clock) -> None:
    async def probe() -> str:
        other = Tls(Settings(namespace="mesh"), Metrics())
        other.adopt(new_authority(clock.now))
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=other.context)
        async with server:
            return await tls.probe("127.0.0.1", server.sockets[0].getsockname()[1])

    assert "certificate verify failed" in asyncio.run(probe())


def test_a_replica_that_starts_with_a_new_ca_is_not_ready_until_that_is_trusted(
    authority: Authority, clock: Clock
) -> None:
    tls = Tls(Settings(namespace="mesh"), Metrics())
    tls.adopt(new_authority(clock.now, authority.trusted))
    assert tls.problem() == "API servers are not told yet to trust it"
    tls.published(authority.bundle_pem)
    assert tls.problem() == "API servers are not told yet to trust it"
    tls.published(tls.ca_bundle)
    assert tls.problem() == "API servers are not told yet to trust it", "they were told just now"
    clock.pass_(STARTING_SECONDS)
    assert tls.problem() == ""


def test_a_replica_that_starts_with_the_ca_that_is_trusted_is_ready(authority: Authority) -> None:
    tls = Tls(Settings(namespace="mesh"), Metrics())
    tls.adopt(authority)
    tls.published(authority.bundle_pem)
    assert tls.problem() == ""


def test_who_has_been_ready_stays_so_whatever_is_registered(tls: Tls) -> None:
    assert tls.problem() == ""
    for spoilt in (b"", b"garbage"):
        tls.published(spoilt)
        assert tls.problem() == ""


def test_a_ca_that_others_add_does_not_start_the_wait_anew(tls: Tls, authority: Authority, clock: Clock) -> None:
    tls.adopt(new_authority(clock.now, authority.trusted))
    tls.published(tls.ca_bundle)
    clock.pass_(SETTLING_SECONDS / 2)
    tls.published(tls.ca_bundle + new_authority(clock.now).bundle_pem)
    clock.pass_(SETTLING_SECONDS / 2)
    assert tls.renew()


def test_a_ca_that_was_taken_out_for_a_while_starts_it_anew(tls: Tls, authority: Authority, clock: Clock) -> None:
    tls.adopt(new_authority(clock.now, authority.trusted))
    tls.published(tls.ca_bundle)
    clock.pass_(SETTLING_SECONDS)
    tls.published(authority.bundle_pem)
    tls.published(tls.ca_bundle)
    assert not tls.renew()


def test_a_certificate_that_nobody_trusts_is_replaced_at_once(tls: Tls, clock: Clock) -> None:
    new = new_authority(clock.now)
    tls.adopt(new)
    tls.published(new.bundle_pem)
    assert tls.renew()


@pytest.fixture
def minute(clock: Clock) -> Tls:
    """With certificates for a minute, of a CA for 100 seconds, made early enough for OpenSSL to take both now."""
    clock.pass_(-50)
    tls = Tls(Settings(namespace="mesh", certificate_lifetime_hours=1 / 60), Metrics())
    tls.adopt(new_authority(clock.now, (), datetime.timedelta(seconds=100)))
    tls.published(tls.ca_bundle)
    return tls


def renewals(tls: Tls, clock: Clock, seconds: int) -> list[int]:
    """Let time pass, look every five seconds, and return after how many the certificate was replaced."""
    return [passed for passed in range(5, seconds + 1, 5) if clock.pass_(5) or tls.renew()]


def test_the_lifetime_is_a_setting(minute: Tls, clock: Clock) -> None:
    assert renewals(minute, clock, 70) == [40]


def test_a_ca_that_ends_is_served_from_to_its_end(minute: Tls, clock: Clock) -> None:
    """The API server may be out of reach for so long. A third certificate would last no longer than the second."""
    assert renewals(minute, clock, 95) == [40]
    assert minute.problem() == ""
    clock.pass_(10)
    assert minute.problem() == "the certificate has expired"
    assert not minute.renew()


def test_before_there_is_a_certificate_that_is_the_problem() -> None:
    assert Tls(Settings(), Metrics()).problem() == "no certificate yet"


def test_an_expired_certificate_is_a_problem(tls: Tls, clock: Clock) -> None:
    clock.pass_(91 * DAY.total_seconds())
    assert tls.problem() == "the certificate has expired"


def test_outside_a_cluster_the_certificate_is_valid_for_the_url(authority: Authority) -> None:
    tls = Tls(Settings(webhook_url="https://192.0.2.7:9443/hook"), Metrics())
    tls.adopt(authority)
    assert tls.server_name == "192.0.2.7"

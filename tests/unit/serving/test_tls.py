"""The serving certificate and its renewal."""

import asyncio
import datetime
import ssl

import pytest

from sidecar_injector.certificates import Authority, bundle, new_authority
from sidecar_injector.serving import tls as module
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.tls import SETTLING_SECONDS, Tls
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


def test_before_there_is_a_certificate_that_is_the_problem() -> None:
    assert Tls(Settings(), Metrics()).problem() == "no certificate yet"


def test_an_expired_certificate_is_a_problem(tls: Tls, clock: Clock) -> None:
    clock.pass_(91 * DAY.total_seconds())
    assert tls.problem() == "the certificate has expired"


def test_outside_a_cluster_the_certificate_is_valid_for_the_url(authority: Authority) -> None:
    tls = Tls(Settings(webhook_url="https://192.0.2.7:9443/hook"), Metrics())
    tls.adopt(authority)
    assert tls.server_name == "192.0.2.7"

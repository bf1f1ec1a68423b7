"""Where the serving certificate comes from: a CA of our own, kept in a Secret, or files of another issuer."""

import asyncio
import datetime
import logging
from collections.abc import Callable
from pathlib import Path

from sidecar_injector.certificates import load_leaf, needs_renewal
from sidecar_injector.cluster import paths, secrets
from sidecar_injector.cluster.api import Api
from sidecar_injector.errors import CertificateError, ClusterError
from sidecar_injector.serving.tls import Tls
from sidecar_injector.settings import Settings

LOOK_SECONDS = 5.0
"""How often it is looked whether certificate or CA are due, or other files are there."""
RETRY_SECONDS = 2.0

logger = logging.getLogger(__name__)


class Certifier:
    """Keeps the certificate good, and calls `changed` whenever API servers have to be told of other CAs."""

    def __init__(self, settings: Settings, api: Api, tls: Tls, changed: Callable[[], object]) -> None:
        self._settings = settings
        self._api = api
        self._tls = tls
        self._changed = changed
        self._turn = asyncio.Lock()
        self._files: tuple[bytes, ...] = ()
        self._complaint = ""

    async def certify(self) -> None:
        """Bring memory to what is in the Secret, or in the files; raises ClusterError or CertificateError."""
        async with self._turn:
            before = self._bundle()
            if self._settings.certificate_file:
                await self._read_files()
            else:
                await self._read_secret()
            if self._bundle() != before:
                self._changed()

    async def renew(self) -> None:
        """Replace the certificate, and the CA, when it is time; for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._is_due():
                await self._try()
            if self._tls.renew():
                self._changed()

    async def watch(self) -> None:
        """Follow the Secret: what other replicas make of it, and what people do to it. For ever."""
        if self._settings.certificate_file:
            await asyncio.Event().wait()  # its files are looked at; a Secret is none of our business
        path = paths.secrets(self._settings.namespace)
        query = {"fieldSelector": f"metadata.name={self._settings.ca_secret_name}"}
        while True:
            looking_again = asyncio.create_task(self._look_again())
            try:
                async for event in self._api.watch(path, query):
                    if event["type"] == "DELETED" or not secrets.is_well(event["object"], self._tls.authority, _now()):
                        while not await self._try():
                            await asyncio.sleep(RETRY_SECONDS)
            except ClusterError as error:
                logger.debug("The CA Secret is watched anew: %s", error)
            finally:
                looking_again.cancel()
            await asyncio.sleep(RETRY_SECONDS)

    async def _look_again(self) -> None:
        """Look once the watch is open: of a Secret that was deleted before, it would say nothing."""
        await asyncio.sleep(RETRY_SECONDS)
        await self._try()

    async def _try(self) -> bool:
        """Certify; tell whether that went well. What goes wrong is said once: the certificate in use still serves."""
        try:
            await self.certify()
        except (CertificateError, ClusterError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                logger.warning("The certificate in use stays for the time being: %s", error)
            return False
        self._complaint = ""
        return True

    def _is_due(self) -> bool:
        authority = self._tls.authority
        return authority is None or needs_renewal(authority.certificate, _now())

    async def _read_secret(self) -> None:
        settings = self._settings
        lifetime = datetime.timedelta(hours=settings.ca_lifetime_hours)
        authority = await secrets.ensure_authority(
            self._api,
            settings.namespace,
            settings.ca_secret_name,
            _now(),
            self._tls.authority,
            lifetime,
            self._tls.refusal,
        )
        self._tls.adopt(authority)

    async def _read_files(self) -> None:
        settings = self._settings
        files = (settings.certificate_file, settings.private_key_file, settings.ca_file)
        content = await asyncio.to_thread(_content, files)
        if content == self._files:
            return
        try:
            self._tls.offer(load_leaf(*content, _now()))
        except CertificateError as error:
            raise CertificateError(f"the certificate in {files[0]} cannot be used: {error}") from None
        self._files = content

    def _bundle(self) -> bytes:
        return self._tls.ca_bundle if self._tls.has_certificate else b""


def _content(files: tuple[str, str, str]) -> tuple[bytes, bytes, bytes]:
    """Return what is in the files, which may be halves of two pairs: that is found out later, and read again."""
    try:
        certificate, key, trusted = (Path(file).read_bytes() for file in files)
    except OSError as error:
        raise CertificateError(f"{error.filename} cannot be read: {error.strerror}") from None
    return certificate, key, trusted


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)

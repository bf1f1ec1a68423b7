"""Start, login, stop."""

import asyncio
import datetime
import itertools
import os
from collections.abc import Iterator
from typing import Any, cast

import kopf

from sidecar_injector import names, settings
from sidecar_injector.cluster.api import load_credentials
from sidecar_injector.errors import ClusterError, SettingsError
from sidecar_injector.serving import logs
from sidecar_injector.serving.application import Application

DISTANT = datetime.timedelta(days=365)
LOGIN_PAUSE_SECONDS = 2.0
"""Least time between two logins: an API server that is starting may answer 401 for a while."""
OWN_OBJECTS = {
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"): f"{names.PLURAL}.{names.GROUP}",
    ("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations"): names.MUTATING_WEBHOOK,
    ("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"): names.VALIDATING_WEBHOOK,
}
"""Collections of which one object alone is watched: more is not needed, and RBAC allows no more."""


class Patiently:
    """Pauses between attempts of Kopf's to reach the API server; without an end, for the end of the list ends Kopf."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((0.2, 0.5, 1.0, 2.0), itertools.repeat(5.0))


@kopf.on.startup(errors=kopf.ErrorsMode.PERMANENT)
async def start(settings: kopf.OperatorSettings, memo: Any, **_: Any) -> None:
    """Prepare everything; the listener opens after this."""
    _configure(settings)
    memo.application = application = Application(_own_settings(memo))
    try:
        await application.start()
    except OSError as error:
        raise kopf.PermanentError(error.strerror) from error
    settings.admission.server = cast(Any, application.server)  # Kopf's type is a function; ours has a state too


@kopf.on.cleanup()
async def stop(memo: Any, **_: Any) -> None:
    """Close what start opened."""
    if "application" in memo:
        await memo.application.stop()


@kopf.on.login()
async def login(memo: Any, **_: Any) -> kopf.ConnectionInfo:
    """Log Kopf in as our own client does, again after each 401: with the token that is in the file by then.

    Kopf gives up, and ends the process, when a login that failed comes again; the expiration makes each one differ.
    """
    loop = asyncio.get_running_loop()
    await asyncio.sleep(memo.get("next_login", 0.0) - loop.time())
    memo.next_login = loop.time() + LOGIN_PAUSE_SECONDS
    try:
        credentials = await load_credentials(_own_settings(memo).kubeconfig)
    except ClusterError as error:
        raise kopf.TemporaryError(str(error), delay=LOGIN_PAUSE_SECONDS) from error
    header = await credentials.get_api_key_with_prefix("BearerToken")
    scheme, token = header.split(" ", 1) if header else (None, None)
    return kopf.ConnectionInfo(
        server=credentials.host,
        ca_path=credentials.ssl_ca_cert,
        insecure=not credentials.verify_ssl,
        scheme=scheme,
        token=token,
        certificate_path=credentials.cert_file,
        private_key_path=credentials.key_file,
        proxy_url=credentials.proxy,
        expiration=datetime.datetime.now(datetime.UTC) + DISTANT,
    )


def _configure(kopf_settings: kopf.OperatorSettings) -> None:
    """Set Kopf up: no peering (a paused peer would go on answering, with old configs), no Events, endless patience."""
    kopf_settings.peering.standalone = True
    kopf_settings.posting.enabled = False
    kopf_settings.networking.error_backoffs = Patiently()
    kopf_settings.networking.request_timeout = 30
    kopf_settings.networking.connect_timeout = 10
    kopf_settings.watching.server_timeout = 240
    kopf_settings.watching.connect_timeout = 10
    kopf_settings.queueing.idle_timeout = 1  # after the first list there is a task for each Namespace and node
    for resource, name in OWN_OBJECTS.items():
        kopf_settings.watching.field_selectors[resource] = f"metadata.name={name}"
    logs.hush()


def _own_settings(memo: Any) -> settings.Settings:
    """Return what `sidecar-injector run` has put there; under `kopf run` the environment is all there is."""
    if "settings" not in memo:
        try:
            memo.settings = settings.load(os.environ)
        except SettingsError as error:
            raise kopf.PermanentError(str(error)) from error
    own: settings.Settings = memo.settings
    return own

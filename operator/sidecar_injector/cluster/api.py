"""The API server: objects as plain dicts, by path. Everything that goes wrong is a ClusterError.

Built on the asynchronous half of the official client, of which only the transport and the loaders of credentials are
imported: they cost next to nothing beside aiohttp, which Kopf loads anyway; the generated models are never touched.
"""

import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import (
    ConfigException,
    list_kube_config_contexts,
    load_incluster_config,
    load_kube_config,
)

from sidecar_injector import __version__, names
from sidecar_injector.errors import ClusterError

TIMEOUT_SECONDS = 10.0
WATCH_SECONDS = 240
"""How long the API server keeps one watch open; the client waits a little longer before it calls it dead."""
PAGE = 500
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

Object = dict[str, Any]
Query = Mapping[str, str]


class Listing(NamedTuple):
    """The objects of a collection, as of a resourceVersion."""

    items: list[Object]
    version: str


async def load_credentials(kubeconfig: str, context: str = "") -> Configuration:
    """Read where the API server is and how to log in; the settings' `kubeconfig` says in which order is looked.

    context -- of the kubeconfig; empty: its current one
    """
    configuration = Configuration()
    configuration.client_session_kwargs = {"trust_env": False}  # as Kopf: a proxy comes from the kubeconfig only
    try:
        if not kubeconfig and "KUBERNETES_SERVICE_HOST" in os.environ:
            load_incluster_config(client_configuration=configuration)
        else:
            path = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
            if not any(Path(part).expanduser().is_file() for part in path.split(os.pathsep)):
                raise ClusterError(f"no usable credentials for the API server: {path} does not exist")
            await load_kube_config(path, context or None, client_configuration=configuration, persist_config=False)
    except (ConfigException, OSError, AttributeError, TypeError, ValueError) as error:
        raise ClusterError(f"no usable credentials for the API server: {error}") from error
    return configuration


def namespace_of_context(kubeconfig: str, context: str = "") -> str:
    """Return the Namespace that a context of a kubeconfig names, as kubectl takes it where none is given."""
    try:
        contexts, current = list_kube_config_contexts(kubeconfig)
        chosen = next((each for each in contexts if each["name"] == context), current)
        return str(chosen["context"].get("namespace") or "default")
    except (ConfigException, OSError, AttributeError, TypeError, ValueError, KeyError) as error:
        raise ClusterError(f"no usable credentials for the API server: {error}") from error


class Api:
    """One connection pool to the API server; logs in again by itself when a token has expired.

    fence -- called before every request that may change something; what it raises keeps the request back
    """

    def __init__(self, kubeconfig: str = "", context: str = "", fence: Callable[[], None] = lambda: None) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._fence = fence
        self._client: Any = None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def get(self, path: str, query: Query | None = None) -> Object:
        """Return the object at a path."""
        return await self._call("GET", path, query=query)

    async def find(self, path: str) -> Object | None:
        """Return the object at a path, or None if there is none."""
        try:
            return await self.get(path)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    async def list(self, path: str, query: Query | None = None) -> Listing:
        """Return every object of a collection, or those that the query selects, read page by page."""
        items: list[Object] = []
        asked = {**(query or {}), "limit": str(PAGE)}
        while True:
            page = await self.get(path, asked)
            items += page["items"]
            asked["continue"] = page["metadata"].get("continue", "")
            if not asked["continue"]:
                return Listing(items, page["metadata"]["resourceVersion"])

    async def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Create an object in a collection; a ClusterError of status 409 says that it exists.

        A dry run is there to find mistakes, so it refuses unknown fields too, which else are dropped.
        """
        strictly = {"dryRun": "All", "fieldValidation": "Strict"} if dry_run else {}
        return await self._call("POST", path, body, {"fieldManager": names.FIELD_MANAGER, **strictly})

    async def replace(self, path: str, body: Object) -> Object:
        """Replace an object; a ClusterError of status 409 says that somebody else was faster."""
        return await self._call("PUT", path, body, {"fieldManager": names.FIELD_MANAGER})

    async def apply(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Create or change an object by server-side apply, taking over every field that it sets."""
        query = {"fieldManager": names.FIELD_MANAGER, "force": "true", **({"dryRun": "All"} if dry_run else {})}
        return await self._call("PATCH", path, body, query, APPLY_PATCH)

    async def merge(self, path: str, body: Object) -> Object:
        """Change an object by a JSON merge patch."""
        return await self._call("PATCH", path, body, {"fieldManager": names.FIELD_MANAGER}, MERGE_PATCH)

    async def delete(self, path: str, uid: str) -> Object:
        """Delete the object at a path if it still is the one with this uid."""
        return await self._call("DELETE", path, {"preconditions": {"uid": uid}})

    async def watch(self, path: str, query: Query) -> AsyncIterator[Object]:
        """Yield the events of a collection until the API server ends the watch.

        A ClusterError of status 410 says that the `resourceVersion` asked for is too old.
        """
        query = {**query, "watch": "true", "timeoutSeconds": str(WATCH_SECONDS)}
        timeout = aiohttp.ClientTimeout(sock_connect=TIMEOUT_SECONDS, sock_read=WATCH_SECONDS + 30)
        response = await self._send("GET", path, None, query, "application/json", timeout)
        try:
            async for line in response.content:
                event: Object = json.loads(line)
                if event["type"] == "ERROR":
                    raise ClusterError(f"watch of {path}: {event['object'].get('message')}", event["object"]["code"])
                yield event
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ClusterError(f"watch of {path}: {_reason(error)}") from error
        finally:
            response.close()

    async def _call(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        query: Query | None = None,
        content_type: str = "application/json",
    ) -> Object:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        response = await self._send(method, path, body, query, content_type, timeout)
        try:
            result: Object = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ClusterError(f"{method} {path}: {_reason(error)}") from error
        return result

    async def _send(
        self,
        method: str,
        path: str,
        body: Object | None,
        query: Query | None,
        content_type: str,
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        for attempt in (1, 2):
            client = await self._connected()
            if method != "GET":
                self._fence()
            try:
                response = await _request(client, method, path, body, query, content_type, timeout)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise ClusterError(f"{method} {path}: {_reason(error)}") from error
            if response.status == 401 and attempt == 1:
                response.close()
                await self.close()
                continue
            break
        if response.status >= 400:
            raise await _refused(method, path, response)
        return response

    async def _connected(self) -> Any:
        if self._client is None:
            self._client = ApiClient(await load_credentials(self._kubeconfig, self._context))
            self._client.user_agent = f"{names.APP}/{__version__}"
        return self._client


async def _request(
    client: Any,
    method: str,
    path: str,
    body: Object | None,
    query: Query | None,
    content_type: str,
    timeout: aiohttp.ClientTimeout,
) -> aiohttp.ClientResponse:
    _, url, headers, body, _ = await client.param_serialize(
        method,
        path,
        query_params=list((query or {}).items()),
        header_params={"Accept": "application/json", "Content-Type": content_type},
        body=body,
        auth_settings=["BearerToken"],
    )
    answer = await client.call_api(method, url, header_params=headers, body=body, _request_timeout=timeout)
    response: aiohttp.ClientResponse = answer.response
    return response


async def _refused(method: str, path: str, response: aiohttp.ClientResponse) -> ClusterError:
    try:
        text = (await response.read()).decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        text = _reason(error)
    try:
        status = json.loads(text)
        causes = status.get("details", {}).get("causes", [])
        fields = [(cause.get("field", ""), cause.get("message", "")) for cause in causes]
        return ClusterError(f"{method} {path}: {response.status}: {status['message']}", response.status, fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ClusterError(f"{method} {path}: {response.status}: {text[:500]}", response.status)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__

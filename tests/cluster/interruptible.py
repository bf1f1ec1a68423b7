"""A way to the API server that can be cut."""

import asyncio
import contextlib
import json
import threading
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.kubernetes.egress import copy


class Interruptible:
    """Passes connections on to the API server; `kubeconfig` is somebody's, with this way in it."""

    def __init__(self, kubeconfig: Path) -> None:
        self._given = json.loads(kubeconfig.read_text())
        (cluster,) = self._given["clusters"]
        address = urlsplit(cluster["cluster"]["server"])
        self._target = address.hostname, address.port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0
        self.kubeconfig = kubeconfig.with_suffix(".interruptible")

    def __enter__(self) -> Self:
        self._thread.start()
        self.mend()
        (cluster,) = self._given["clusters"]
        cluster["cluster"]["server"] = f"https://127.0.0.1:{self._port}"
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(self._given))
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def mend(self) -> None:
        """Let connections through."""
        self._run(self._listen())

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._run(self._break())

    def _run(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _break(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0.01)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        both = {writer}
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            both.add(far_writer)
            self._writers |= both
            await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
        self._writers -= both
        for each in both:
            each.close()

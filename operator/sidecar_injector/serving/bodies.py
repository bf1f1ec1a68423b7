"""Bodies of requests: as large and as slow as they may be, one alone and all together."""

import asyncio

from aiohttp import hdrs, web

from sidecar_injector.errors import ReviewError
from sidecar_injector.serving import requests

READ_SECONDS = 10.0
"""How long a body may take to arrive."""
MOST_BYTES = 64 << 20
"""Of all bodies that are being received or worked on at a time."""


class Bodies:
    """Reads bodies, and knows how much of them is in memory."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.held = 0

    async def read(self, request: web.BaseRequest) -> bytes:
        """Return a body, which the caller releases by its length when the answer is there.

        Raises ReviewError: it is too large (413) or too slow (408), or there are too many others (503).
        """
        requests.check_length(request.content_length, self._largest)
        requests.check_encoding(request.headers.get(hdrs.CONTENT_ENCODING, ""))
        await _encourage(request)
        try:
            return self._arrived(request) if request.content.is_eof() else await self._arriving(request)
        except TimeoutError:
            raise ReviewError(f"body did not arrive within {READ_SECONDS:g} s", 408) from None
        except web.RequestPayloadError:
            raise ReviewError("body cannot be read: it ended early, or its chunks are malformed") from None

    def _arrived(self, request: web.BaseRequest) -> bytes:
        """Return a body all of which is there already, as it mostly is."""
        body = request.content.read_nowait()
        self._check(len(body), self.held + len(body))
        self.held += len(body)
        return body

    async def _arriving(self, request: web.BaseRequest) -> bytes:
        parts: list[bytes] = []
        length = 0
        try:
            async with asyncio.timeout(READ_SECONDS):
                async for part in request.content.iter_any():
                    length += len(part)
                    self.held += len(part)
                    self._check(length, self.held)
                    parts.append(part)
        except BaseException:
            self.release(length)
            raise
        return b"".join(parts)

    def _check(self, length: int, held: int) -> None:
        if length > self._largest:
            raise ReviewError(f"body of more than {self._largest} bytes (--max-body-bytes)", 413)
        if held > max(MOST_BYTES, self._largest):
            raise ReviewError(f"bodies of {held} bytes are being worked on", 503)

    def release(self, length: int) -> None:
        """Note that a body of this length is no longer in memory."""
        self.held -= length


async def _encourage(request: web.BaseRequest) -> None:
    """Tell a client that waits for it that it may send the body. Raises ReviewError for other expectations."""
    expected = request.headers.get(hdrs.EXPECT, "").lower()
    if expected == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    elif expected:
        raise ReviewError("Expect: only 100-continue is known", 417)

"""Connections that send no request are closed: uvicorn's own timer starts only after the first answer."""

from __future__ import annotations

import asyncio
from typing import Any

REQUEST_SECONDS = 20.0  # for the head of a request, from its first byte, or from the connection's beginning


class _Waiting(asyncio.Protocol):
    """To be mixed into a protocol class of uvicorn's, of either of its parsers, before it.

    Attributes:
        seconds: how long a request is waited for.
        cycle: uvicorn's; the request that is being answered, or the last one, or None.
    """

    seconds: float
    cycle: Any
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Some bytes came: a whole head ends the waiting, the first of another begins it again."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        super().connection_lost(exc)
        self._stop()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        if self._answering():
            self._stop()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.seconds, self._close)

    def _close(self) -> None:
        self._stop()
        if not self._answering():
            self.transport.close()

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def impatient(protocol: type[asyncio.Protocol], seconds: float = REQUEST_SECONDS) -> type[asyncio.Protocol]:
    """A protocol class of uvicorn's, with a limit to how long it waits for a request.

    While a request is being answered the limit does not count; its body has the limits of `demo.door.middleware`.
    """
    return type(f"Impatient{protocol.__name__}", (_Waiting, protocol), {"seconds": seconds})

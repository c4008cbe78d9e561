"""Requests before Gradio reads them: that one comes at all on a connection, and the JSON messages that its routes take.

uvicorn's own timer starts only after the first answer: a connection that sends no request is closed here.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from demo.gradio_inside import Event
from demo.texts import english

MAX_DEPTH = 32
SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)

NONE = type(None)
KINDS: dict[str, tuple[type, ...]] = {
    "data": (list,),
    "session_hash": (str, NONE),
    "event_id": (str, NONE),
    "fn_index": (int, NONE),
    "trigger_id": (int, NONE),
    "oauth_token": (str, NONE),
    "simple_format": (bool,),
    "batched": (bool, NONE),
}
REQUEST_SECONDS = 20.0  # for the head of a request, from its first byte, or from the connection's beginning


class MessageError(ValueError):
    """A message that is turned away: the answer's status and one sentence."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        MessageError: if it is none, or is nested deeper than any message needs.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):  # a number can have too many digits to be read
        raise MessageError(english.UNREADABLE_MESSAGE) from None
    if not isinstance(message, dict) or _deeper(message, MAX_DEPTH):
        raise MessageError(english.UNREADABLE_MESSAGE)
    return message


def check_fields(message: Mapping[str, Any]) -> None:
    """Refuse fields of another type than Gradio's; fields that it does not know are left to it, which ignores them.

    Raises:
        MessageError: naming the field.
    """
    for name, kinds in KINDS.items():
        if name in message and type(message[name]) not in kinds:
            raise MessageError(english.WRONG_FIELD.format(name))
    if message.get("batched"):
        raise MessageError(english.NO_BATCHES)
    session = message.get("session_hash")
    if session is not None and not SESSION.fullmatch(session):
        raise MessageError(english.WRONG_SESSION)


def check_event(functions: Mapping[int, Event], message: Mapping[str, Any], name: str) -> None:
    """Refuse a message for an event that does not exist: ``fn_index``, or else the endpoint's name in the URL.

    Raises:
        MessageError: with status 404.
    """
    number = message.get("fn_index")
    if number is None and name not in {each.api_name for each in functions.values()}:
        raise MessageError(english.NO_ENDPOINT, 404)
    if number is not None and number not in functions:
        raise MessageError(english.NO_ENDPOINT, 404)


def _deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


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

"""The door before Gradio's routes: what this page never asks is turned away, what fails is answered."""

from __future__ import annotations

import asyncio
import re
import time

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.messages import MessageError, check_event, check_fields, parsed
from demo.refusals import FAILED, failed, refused

API = "/gradio_api"
MAX_UPLOAD = 40 * 2**20  # bytes of a whole upload
MAX_MESSAGE = 2**20
PATIENCE = 30.0  # seconds for the next piece of what is being sent
WHOLE_SECONDS = 600.0  # for all of it
TOO_LARGE_UPLOAD = f"This file is over the maximum allowed size of {MAX_UPLOAD >> 20} MB; please shrink it."
TOO_LARGE_MESSAGE = f"This message is over the maximum allowed size of {MAX_MESSAGE >> 20} MB; please send less."
BROKEN_OFF = "This did not arrive in whole; please send it again."
CLOSED = "This page does not offer that."
NO_ADDRESS = "Addresses are not fetched here; please ask for a file of this page."

# Gradio's routes for what this page does not have: other people's pages, recordings, histories, editors, monitoring.
CLOSED_ROUTES = re.compile(
    rf"({API}/(proxy=|process_recording|deep_link|runs|run-history|vibe|undo-vibe|component_server|custom_component"
    r"|stream/|dev/)|/monitoring|/login/?$|/logout)"
)
FILE_ROUTE = re.compile(rf"{API}/file[=/](.*)", re.DOTALL)
ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
MESSAGE_ROUTE = re.compile(rf"{API}/(?:queue/join|(?:run|api|call/v2|call)/([^/]+))/?")
PLAIN_MESSAGES = re.compile(rf"{API}/(?:cancel|reset)/?")


class Gate:
    """ASGI middleware: one sentence and one line of log for all that is refused or fails."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watched = _Watched(scope, send)
        try:
            admitted = await _admitted(scope, receive)
            await self._app(scope, admitted, watched)
        except MessageError as error:
            await watched.answer(str(error), error.status)
        except ClientDisconnect:
            return
        except Exception as error:
            if isinstance(error.__cause__, HTTPException):  # a refusal that came when the answer had begun
                await watched.answer(str(error.__cause__.detail), error.__cause__.status_code)
                return
            failed(_name(scope), error)
            await watched.answer(FAILED, 500)


class _Watched:
    """``send``, with a line of log for every refusal that goes through it."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self._begun and 400 <= message["status"] < 500:
                refused(_name(self._scope), f"status {message['status']}")
            self._begun = True
        await self._send(message)

    async def answer(self, sentence: str, status: int) -> None:
        """Answer with one sentence; a stream that has begun is only closed."""
        if status < 500:
            refused(_name(self._scope), sentence)
        if self._begun:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        self._begun = True
        plain = self._scope["path"].startswith(f"{API}/upload")
        response: Response = (
            PlainTextResponse(sentence, status) if plain else JSONResponse({"detail": sentence}, status)
        )
        await response(self._scope, _nothing, self)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _admitted(scope: Scope, receive: Receive) -> Receive:
    """What the app shall read.

    Raises:
        MessageError: if it shall not read this request at all.
    """
    path, method = scope["path"], scope["method"]
    if CLOSED_ROUTES.match(path):
        raise MessageError(CLOSED, 404)
    if (file := FILE_ROUTE.match(path)) and ADDRESS.match(file[1]):
        raise MessageError(NO_ADDRESS, 403)
    if method != "POST":
        return receive
    if path.startswith(f"{API}/upload"):
        return await _limited(scope, receive)
    if route := MESSAGE_ROUTE.fullmatch(path):
        body = await _body(receive)
        message = parsed(body)
        if path.startswith(f"{API}/call/v2/"):  # the fields are the endpoint's own arguments
            message = {}
        check_fields(message)
        check_event(scope["app"].get_blocks().fns, message, route[1] or "")
        return _replayed(body, receive)
    if PLAIN_MESSAGES.fullmatch(path):
        body = await _body(receive)
        check_fields(parsed(body))
        return _replayed(body, receive)
    return receive


async def _limited(scope: Scope, receive: Receive) -> Receive:
    """An upload that ends with an error once it is too large, whatever its header says, or comes to a halt.

    The error is the one at which Gradio deletes what it has written of it.
    """
    timely = _timely(receive)
    if _declared(scope) > MAX_UPLOAD:
        await _discard(timely, 4 * MAX_UPLOAD)
        raise MessageError(TOO_LARGE_UPLOAD, 413)
    count, more = 0, True

    async def limited() -> Message:
        nonlocal count, more
        if not more:
            return await receive()
        message = await timely()
        if message["type"] == "http.disconnect":
            raise MultiPartException(BROKEN_OFF)
        count, more = count + len(message.get("body", b"")), message.get("more_body", False)
        if count > MAX_UPLOAD:
            raise MultiPartException(TOO_LARGE_UPLOAD)  # answered with 413
        return message

    return limited


async def _body(receive: Receive) -> bytes:
    body, more, timely = b"", True, _timely(receive)
    while more and len(body) <= MAX_MESSAGE:
        message = await timely()
        if message["type"] == "http.disconnect":
            raise MessageError(BROKEN_OFF)
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) > MAX_MESSAGE:
        if more:
            await _discard(timely, 4 * MAX_UPLOAD)
        raise MessageError(TOO_LARGE_MESSAGE, 413)
    return body


async def _discard(receive: Receive, limit: int) -> None:
    """Read on without keeping anything: who is still sending does not listen to an answer."""
    count, more = 0, True
    while more and count < limit:
        message = await receive()
        count += len(message.get("body", b""))
        more = message.get("more_body", False)


def _timely(receive: Receive) -> Receive:
    """``receive`` for a body; one that halts or drips is a connection that was lost."""
    end = time.monotonic() + WHOLE_SECONDS

    async def timely() -> Message:
        try:
            async with asyncio.timeout(min(PATIENCE, end - time.monotonic())):
                return await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}

    return timely


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def replayed() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replayed


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def _name(scope: Scope) -> str:
    return f"{scope['method']} {scope['path'][:80]!r}"

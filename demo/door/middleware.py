"""The door before Gradio's routes: what this page never asks is turned away, what fails is answered."""

from __future__ import annotations

import asyncio
import gzip
import re
import time

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.door.log import failed, refused
from demo.door.request_checks import MessageError, check_event, check_fields, parsed
from demo.gradio_inside import events_of, route_path
from demo.texts import english, told

API = "/gradio_api"
MAX_UPLOAD = 40 * 2**20  # bytes of a whole upload
MAX_MESSAGE = 2**20
PIECE_SECONDS = 30.0  # seconds for the next piece of what is being sent
WHOLE_SECONDS = 600.0  # for all of it
TOO_LARGE_UPLOAD = english.TOO_LARGE_UPLOAD.format(MAX_UPLOAD >> 20)
TOO_LARGE_MESSAGE = english.TOO_LARGE_MESSAGE.format(MAX_MESSAGE >> 20)

# What the page and programs ask for; a route that is not here is not offered, whatever Gradio adds to its own.
PAGE_ROUTES = r"/?|/config/?|/theme\.css|/favicon\.ico|/robots\.txt|/manifest\.json|/healthz|/(static|assets|svelte)/.+"
API_ROUTES = (
    r"info/?|openapi\.json|app_id/?|startup-events|theme\.css|heartbeat/[^/]+|file[=/].+|upload|upload_progress"
    r"|queue/(join|data|status)|(run|api)/[^/]+/?|call/(v2/)?[^/]+(/[^/]*)?|cancel/?|reset/?"
)
OPEN_ROUTES = re.compile(rf"{PAGE_ROUTES}|{API}/({API_ROUTES})", re.DOTALL)
FILE_ROUTE = re.compile(rf"{API}/file[=/](.*)", re.DOTALL)
ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
MESSAGE_ROUTE = re.compile(rf"{API}/(?:queue/join|(?:run|api|call/v2|call)/([^/]+))/?")
PLAIN_MESSAGES = re.compile(rf"{API}/(?:cancel|reset)/?")


class Gate:
    """ASGI middleware: one sentence and one line of log for all that is refused or fails.

    Args:
        head: HTML that begins the head of the page.
    """

    def __init__(self, app: ASGIApp, head: str = "") -> None:
        self._app, self._head = app, head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "websocket":  # there is none
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = _Headed(scope, send, self._head) if self._head and route_path(scope) in ("", "/") else send
        watched = _Watched(scope, answered)
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
            await watched.answer(english.FAILED, 500)


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
        sentence = _told(sentence, self._scope)
        plain = route_path(self._scope).startswith(f"{API}/upload")
        response: Response = (
            PlainTextResponse(sentence, status) if plain else JSONResponse({"detail": sentence}, status)
        )
        await response(self._scope, _nothing, self)


class _Headed:
    """``send`` for the page's HTML: its head begins with something of ours, which runs before anything of Gradio's.

    It is compressed where the browser says that it can read that: Gradio compresses files alone.
    """

    def __init__(self, scope: Scope, send: Send, head: str) -> None:
        self._scope, self._send, self._head = scope, send, head
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        before, tag, after = self._body.partition(b"<head>")
        body = before + tag + self._head.encode() + after if tag else self._body
        headers = MutableHeaders(raw=list(self._start["headers"]))
        if tag:
            coding, body = _compressed(body, Headers(scope=self._scope).get("accept-encoding", ""))
            if coding:
                headers["content-encoding"] = coding
            headers["content-length"] = str(len(body))
            headers.add_vary_header("Accept-Encoding")
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def _compressed(body: bytes, accepted: str) -> tuple[str, bytes]:
    """The content coding, empty for none, and the body in it; brotli's window spans what several components repeat."""
    if "br" in re.split(r"[\s,;]+", accepted):
        return "br", brotli.compress(body, quality=5)
    if "gzip" in accepted:
        return "gzip", gzip.compress(body, 6)
    return "", body


def _told(sentence: str, scope: Scope) -> str:
    return told(sentence, Headers(scope=scope))


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _admitted(scope: Scope, receive: Receive) -> Receive:
    """What the app shall read.

    Raises:
        MessageError: if it shall not read this request at all.
    """
    path, method = route_path(scope), scope["method"]
    if not OPEN_ROUTES.fullmatch(path):
        raise MessageError(english.CLOSED, 404)
    if (file := FILE_ROUTE.match(path)) and ADDRESS.match(file[1]):
        raise MessageError(english.FILE_NOT_FETCHED, 403)
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
        check_event(events_of(scope["app"]), message, route[1] or "")
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
            raise MultiPartException(_told(english.BROKEN_OFF, scope))
        count, more = count + len(message.get("body", b"")), message.get("more_body", False)
        if count > MAX_UPLOAD:
            raise MultiPartException(_told(TOO_LARGE_UPLOAD, scope))  # answered with 413
        return message

    return limited


async def _body(receive: Receive) -> bytes:
    body, more, timely = b"", True, _timely(receive)
    while more and len(body) <= MAX_MESSAGE:
        message = await timely()
        if message["type"] == "http.disconnect":
            raise MessageError(english.BROKEN_OFF)
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
            async with asyncio.timeout(min(PIECE_SECONDS, end - time.monotonic())):
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

"""Connections that are opened and left: closed after a while, whatever else is going on."""

import asyncio
import contextlib
import socket
import threading
import time

import httpx
import pytest
import uvicorn
from tiny import make_checkpoint
from uvicorn.protocols.http.h11_impl import H11Protocol

from captioner.pipeline import Captioner
from demo.door.request_checks import impatient
from demo.server import started, stop

LIMIT = 1.0  # seconds
SLOWLY = 2.5 * LIMIT


async def app(scope, receive, send):
    """Answers after the body came, slowly where that is asked for."""
    if scope["type"] == "http":
        message = await receive()
        while message.get("more_body"):
            message = await receive()
        if scope["path"] == "/slow":
            await asyncio.sleep(SLOWLY)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@contextlib.contextmanager
def serving(protocol):
    config = uvicorn.Config(app, port=0, log_level="error", http=protocol, lifespan="off", timeout_keep_alive=60)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def parsed_in_c():
    """uvicorn's protocol over httptools, which it takes where that is installed."""
    pytest.importorskip("httptools")
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol  # noqa: PLC0415

    return HttpToolsProtocol


@pytest.fixture(scope="module", params=[lambda: H11Protocol, parsed_in_c], ids=["h11", "httptools"])
def port(request):
    with serving(impatient(request.param(), LIMIT)) as port:
        yield port


def seconds_until_closed(connection, patience=5.0):
    """How long the server kept the connection; infinite if it outlasted our patience."""
    connection.settimeout(patience)
    began = time.monotonic()
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return float("inf")
    return time.monotonic() - began


def connected(port):
    return socket.create_connection(("127.0.0.1", port), 10)


@pytest.mark.slow
def test_without_the_class_a_silent_connection_stays_open():
    with serving(H11Protocol) as port, connected(port) as connection:
        assert seconds_until_closed(connection, 2 * LIMIT) == float("inf")


def test_a_connection_that_sends_nothing_is_closed(port):
    with connected(port) as connection:
        assert 0.5 * LIMIT < seconds_until_closed(connection) < 3 * LIMIT


def test_a_head_that_drips_is_closed(port):
    with connected(port) as connection:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for letter in b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 1000:
                connection.sendall(bytes([letter]))
                time.sleep(0.1)
        assert time.monotonic() - began < 5 * LIMIT


def test_a_second_head_that_drips_is_closed_too(port):
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in connection.recv(4096)
        connection.sendall(b"GET /")
        assert seconds_until_closed(connection) < 3 * LIMIT


@pytest.mark.slow
def test_a_slow_answer_and_a_slow_body_are_waited_for(port):
    assert httpx.get(f"http://127.0.0.1:{port}/slow", timeout=30).text == "ok"

    def drip():
        for _ in range(5):
            time.sleep(SLOWLY / 5)
            yield b"x"

    assert httpx.post(f"http://127.0.0.1:{port}/", content=drip(), timeout=30).text == "ok"


def test_many_requests_on_one_connection(port):
    with httpx.Client(timeout=30) as client:
        for _ in range(3):
            assert client.get(f"http://127.0.0.1:{port}/").text == "ok"


@pytest.mark.slow
def test_the_page_is_served_so(monkeypatch):
    """uvicorn makes a protocol for each connection from its configuration; the page's is ours."""
    monkeypatch.setattr("demo.server.impatient", lambda protocol: impatient(protocol, LIMIT))
    page = started(Captioner(make_checkpoint()), quiet=True)
    try:
        port = page.server.config.port
        with connected(port) as connection:
            assert seconds_until_closed(connection) < 4 * LIMIT
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    finally:
        stop(page)

"""The door of the real page: paths and addresses that lead elsewhere, requests of no sense, too much at once."""

import gzip
import http.server
import io
import json
import re
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import brotli
import gradio as gr
import httpx
import pytest
import safehttpx
from gradio.utils import get_upload_folder
from PIL import Image
from serving import Served, logged, outcome, served, uploaded

from demo.door import middleware as gate
from demo.door.middleware import MAX_MESSAGE, MAX_UPLOAD, TOO_LARGE_MESSAGE, TOO_LARGE_UPLOAD
from demo.door.request_checks import MAX_DEPTH, MessageError, parsed
from demo.page.player import page_head
from demo.texts import in_korean
from demo.texts.english import (
    BROKEN_OFF,
    CLOSED,
    FAILED,
    FILE_NOT_FETCHED,
    NO_ENDPOINT,
    NOT_SENT,
    PHOTO_NOT_FETCHED,
)

pytestmark = pytest.mark.slow  # a whole server, asked byte by byte

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def photo(page):
    return uploaded(page.upload(png()))


def png(side=32):
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize((side, side)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def goes_on(page, photo, capfd):
    """After the test: no traceback was written, and the next request is answered."""
    yield
    assert "Traceback" not in "".join(capfd.readouterr())
    assert outcome(page.ask("score", [photo, "a dog"])) == (None, [])


def sentence(answer):
    return answer.json()["detail"]


# --- addresses --------------------------------------------------------------------------------------------------


@pytest.fixture
def canary(monkeypatch):
    """A server that must not be asked, made to look public; its address and who asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(png())

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *arguments):
            pass

    # Gradio itself asks public addresses only.
    monkeypatch.setattr(safehttpx, "is_public_ip", lambda address: True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def addressed(address):
    photo = f"{address}/photo.png"
    yield uploaded(photo)
    yield uploaded(photo, url=photo)
    yield {"path": photo}
    yield {"path": None, "url": photo}
    yield {"url": photo}
    yield uploaded(photo.replace("http", "HTTP"))
    yield uploaded(f" {photo}")
    yield uploaded(photo, is_stream=True)
    yield [uploaded(photo)]
    yield {"deep": [{"er": uploaded(photo)}]}


def test_a_plain_gradio_page_would_ask_the_canary(canary):
    """Else the tests below could not fail."""
    address, asked = canary
    with gr.Blocks() as plain:
        field = gr.Image(type="filepath")
        gr.Button().click(str, field, gr.Textbox(), api_name="look")
    _, own, _ = plain.launch(prevent_thread_lock=True, quiet=True)
    page = Served(plain, own)
    assert outcome(page.ask("look", [uploaded(f"{address}/photo.png")])) == (None, [])
    assert page.get(f"/gradio_api/file={address}/file.png").status_code == 200
    plain.close(verbose=False)
    assert asked == ["/photo.png", "/file.png"]


def test_no_address_is_fetched_as_a_photo_or_in_any_other_place(page, photo, canary, goes_on):
    address, asked = canary
    for value in addressed(address):
        for name, data in (
            ("caption", [value, 2, 0, 0]),
            ("show", [value, 2, 0, 0]),
            ("caption", [photo, value, 0, 0]),
            ("search", [2, 0, value]),
            ("score", [photo, value]),
            ("hide", [photo, value, 2, 0, 0]),
        ):
            with logged() as lines:
                assert outcome(page.ask(name, data)) == (PHOTO_NOT_FETCHED, []), (name, value)
            assert len(lines) == 1
    assert asked == []


def test_an_address_beside_a_photo_that_was_sent_is_not_fetched(page, photo, canary, goes_on):
    """The page itself sends a file's address on this server along."""
    address, asked = canary
    for event in ("caption", "show"):
        assert outcome(page.ask(event, [{**photo, "url": f"{address}/photo.png"}, 2, 0, 0])) == (None, [])
    assert asked == []


@pytest.mark.parametrize("route", ["file=", "file/", "proxy="])
@pytest.mark.parametrize("scheme", ["", "HTTP", "ftp", "//"])
def test_no_address_is_fetched_by_a_link(page, canary, goes_on, route, scheme):
    address, asked = canary
    target = {"": address, "//": address.removeprefix("http:")}.get(scheme, address.replace("http", scheme))
    for method in ("GET", "HEAD"):
        with logged() as lines:
            answer = page.client.request(method, f"{page.address}/gradio_api/{route}{target}/photo.png")
        assert answer.status_code in (403, 404)
        assert len(lines) == 1
        if method == "GET":
            assert sentence(answer) == (CLOSED if route == "proxy=" else FILE_NOT_FETCHED)
    assert asked == []


# --- paths ------------------------------------------------------------------------------------------------------


@pytest.fixture
def secret(tmp_path):
    """A photo on the server that nobody has sent."""
    path = tmp_path / "secret.png"
    path.write_bytes(png())
    return path


def elsewhere(secret):
    folder = get_upload_folder()
    yield str(secret)
    yield "/etc/passwd"
    yield str(Path(__file__))
    yield "app.py"
    yield "checkpoints/everyday/card.json"
    yield "/proc/self/environ"
    yield f"{folder}/../{secret.relative_to('/tmp') if secret.is_relative_to('/tmp') else secret}"
    yield f"{folder}/../../etc/passwd"
    yield f"{folder}/{'../' * 30}etc/passwd"
    yield f"file://{secret}"
    yield folder
    yield f"{folder}/"
    yield "~/.bashrc"
    yield "."
    yield ""


def test_no_photo_is_taken_from_the_servers_own_files(page, secret, goes_on):
    for path in elsewhere(secret):
        for value in (uploaded(path), {"path": path}, uploaded(path, is_stream=True), uploaded(path, url=path)):
            for event in ("caption", "show"):
                assert outcome(page.ask(event, [value, 2, 0, 0])) == (NOT_SENT, []), value


def test_a_link_out_of_the_upload_folder_is_not_followed(page, secret, goes_on):
    link = Path(get_upload_folder()) / "link.png"
    link.unlink(missing_ok=True)
    link.symlink_to(secret)
    try:
        assert outcome(page.ask("caption", [uploaded(str(link)), 2, 0, 0])) == (NOT_SENT, [])
        assert page.get(f"/gradio_api/file={link}").status_code == 403
    finally:
        link.unlink()


@pytest.mark.parametrize("dots", ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "..\\", "....//"])
def test_no_link_leads_out_of_the_apps_folders(page, secret, goes_on, dots):
    folder = get_upload_folder()
    out = dots * 30
    for path in (
        f"/gradio_api/file={folder}/{out}etc/passwd",
        f"/gradio_api/file={out}etc/passwd",
        f"/gradio_api/file/{out}etc/passwd",
        f"/static/{out}etc/passwd",
        f"/assets/{out}etc/passwd",
        f"/svelte/{out}etc/passwd",
        f"/gradio_api/custom_component/x/client/{out}/etc/passwd",
        f"/?deep_link={out}etc/passwd",
        f"/config?deep_link={out}etc/passwd",
        f"/{out}etc/passwd",
    ):
        answer = page.get(path)
        assert b"root:" not in answer.content, path
        assert answer.status_code != 500, path


def test_what_is_not_the_pages_own_is_not_served(page, secret, goes_on):
    for path in (*elsewhere(secret), "/etc/passwd%00.png", "%ff%fe", "x" * 5000, "C:\\boot.ini", "/dev/zero"):
        for route in ("file=", "file/"):
            if path in ("", ".") and route == "file/":  # another route, to which Starlette redirects
                continue
            with logged() as lines:
                answer = page.get(f"/gradio_api/{route}{path}")
            assert answer.status_code in (403, 404), path
            assert len(sentence(answer).splitlines()) == 1
            assert len(lines) == 1


def test_an_upload_is_found_by_those_alone_who_know_its_content(page):
    """Its folder is named by the SHA-256 of what it holds, and no folder can be listed."""
    path = Path(page.upload(b"somebody else's", "holiday.png"))
    assert path.is_relative_to(get_upload_folder())
    assert len(path.parent.name) == 64
    assert page.get(f"/gradio_api/file={path}").content == b"somebody else's"
    for other in (
        path.parent,
        path.parent.parent,
        path.parent / "other.png",
        path.parent.with_name("0" * 64) / path.name,
    ):
        assert page.get(f"/gradio_api/file={other}").status_code == 403


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>.png", "../../etc/cron.d/x", "a\u202egpj.html", "x" * 300]
)
def test_an_upload_stays_in_its_folder_and_is_never_a_page(page, goes_on, name):
    path = Path(page.upload(b"<script>alert(1)</script>", name))
    assert path.is_relative_to(get_upload_folder())
    assert path.resolve().parent.parent == Path(get_upload_folder()).resolve()
    answer = page.get(f"/gradio_api/file={path}")
    assert "html" not in answer.headers["content-type"]


CLOSED_PATHS = [
    "GET /gradio_api/deep_link?session_hash=here",
    "GET /gradio_api/runs",
    "POST /gradio_api/run-history/connect",
    "GET /gradio_api/run-history/buckets",
    "POST /gradio_api/process_recording",
    "POST /gradio_api/component_server",
    "GET /gradio_api/custom_component/x/client/component/style.css",
    "GET /gradio_api/vibe-code",
    "POST /gradio_api/vibe-edit",
    "POST /gradio_api/undo-vibe-edit",
    "GET /gradio_api/stream/here/0/1/playlist-file",
    "GET /gradio_api/dev/reload",
    "GET /monitoring",
    "GET /monitoring/summary",
    "GET /monitoring/x",
    "POST /login",
    "GET /logout",
]


@pytest.mark.parametrize("request_line", CLOSED_PATHS)
def test_what_this_page_does_not_have_is_closed(page, goes_on, request_line):
    method, path = request_line.split()
    with logged() as lines:
        answer = page.client.request(method, page.address + path)
    assert (answer.status_code, sentence(answer)) == (404, CLOSED)
    assert len(lines) == 1


# Every route of the installed Gradio, as it declares it. One that is in neither list is new: decide which it is.
OPEN = """
    / /config /config/ /static/{path:path} /assets/{path:path} /svelte/{path:path} /favicon.ico /theme.css /robots.txt
    /manifest.json /healthz
    API/info API/info/ API/openapi.json API/app_id API/app_id/ API/startup-events API/theme.css
    API/file={path_or_url:path} API/file/{path:path} API/upload API/upload_progress API/heartbeat/{session_hash}
    API/queue/join API/queue/data API/queue/status API/cancel API/reset API/reset/
    API/api/{api_name} API/api/{api_name}/ API/run/{api_name} API/run/{api_name}/
    API/call/{api_name} API/call/{api_name}/ API/call/v2/{api_name} API/call/v2/{api_name}/
    API/call/{api_name}/{event_id} API/call/v2/{api_name}/{event_id}
"""
SHUT = """
    /openapi.json /login /login/ /logout /pwa_icon /pwa_icon/{size} /monitoring /monitoring/summary /monitoring/{key}
    API/deep_link API/user API/user/ API/login_check API/login_check/ API/token API/token/ API/dev/reload API/runs
    API/runs/ API/run-history/connect API/run-history/buckets API/run-history/records
    API/run-history/records/{endpoint}/{record_id}/assets/{asset_id}
    API/custom_component/{id}/{environment}/{type}/{file_name} API/proxy={url_path:path} API/stream/{event_id}
    API/stream/{event_id}/close API/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
    API/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
    API/stream/{session_hash}/{run}/{component_id}/playlist-file API/component_server API/component_server/
    API/process_recording API/vibe-edit API/vibe-edit/ API/undo-vibe-edit API/undo-vibe-edit/ API/vibe-code
    API/vibe-code/ API/vibe-starter-queries API/vibe-starter-queries/
"""


def declared(routes):
    """Paths of all routes, those of included routers too."""
    for route in routes:
        if hasattr(route, "effective_candidates"):  # FastAPI's own way to a router's routes with their prefix
            yield from declared(route.effective_candidates())
        else:
            yield route.path


def test_every_route_of_gradio_is_open_by_name_or_shut(page):
    opened, shut = ({each.replace("API", gate.API) for each in text.split()} for text in (OPEN, SHUT))
    found = set(declared(page.page.app.routes))
    assert found == (opened | shut) - {"/healthz"}
    for path in opened | shut:
        filled = re.sub(r"\{[^}]+\}", "x", path)
        assert bool(gate.OPEN_ROUTES.fullmatch(filled)) == (path in opened), path


@pytest.mark.parametrize(
    "path", ["/new", "/gradio_api/new", "/gradio_api/queue/new", "//monitoring", "/static", "/x/config"]
)
def test_a_route_that_nobody_knows_is_refused(page, path):
    assert sentence(page.get(path)) == CLOSED


# --- behind a prefix --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["/captions", "https://example.org/captions"])
def behind(request):
    """The page as a host sets it up with ``GRADIO_ROOT_PATH``, and the prefix under which a proxy asks for it."""
    with served(root_path=request.param) as page:
        yield page, "" if "://" in request.param else request.param


@pytest.mark.parametrize("request_line", CLOSED_PATHS)
def test_what_is_closed_is_closed_behind_a_prefix(behind, request_line):
    page, prefix = behind
    method, path = request_line.split()
    for before in {"", prefix}:  # a proxy may take the prefix away, or leave it
        answer = page.client.request(method, page.address + before + path)
        assert (answer.status_code, sentence(answer)) == (404, CLOSED)


def test_what_is_checked_is_checked_behind_a_prefix(behind):
    page, prefix = behind
    content = b'{"data": ["' + b"x" * MAX_MESSAGE + b'"], "fn_index": 0, "session_hash": "here"}'
    for before in {"", prefix}:
        answer = page.post(f"{before}/gradio_api/queue/join", content=content, headers=JSON)
        assert (answer.status_code, sentence(answer)) == (413, TOO_LARGE_MESSAGE)
        answer = page.post(f"{before}/gradio_api/upload", files={"files": ("a.png", bytes(MAX_UPLOAD + 1))})
        assert (answer.status_code, answer.text) == (413, TOO_LARGE_UPLOAD)
        answer = page.get(f"{before}/gradio_api/file=http://127.0.0.1:9/a.png")
        assert (answer.status_code, sentence(answer)) == (403, FILE_NOT_FETCHED)


def test_the_page_is_served_behind_a_prefix(behind):
    page, prefix = behind
    for before in {"", prefix}:
        assert page_head() in page.get(f"{before}/").text
        assert page.get(f"{before}/config").json()["title"]
        path = uploaded(page.post(f"{before}/gradio_api/upload", files={"files": ("a.png", png())}).json()[0])["path"]
        assert page.get(f"{before}/gradio_api/file={path}").content == png()


def test_what_is_refused_is_said_in_the_language_of_the_page(page):
    of_page = {"Referer": f"{page.address}/?beam=1&lang=ko", "Accept-Language": "en-US"}
    url = f"{page.address}/gradio_api/nothing"
    assert httpx.get(url, headers=of_page).json() == {"detail": in_korean(CLOSED)}
    assert httpx.get(url, headers={**of_page, "Referer": page.address}).json() == {"detail": CLOSED}
    assert in_korean(CLOSED) != CLOSED
    sent = {"files": ("large.png", b"0" * (MAX_UPLOAD + 1))}
    refused = httpx.post(f"{page.address}/gradio_api/upload", files=sent, headers=of_page, timeout=60)
    assert (refused.status_code, refused.text) == (413, in_korean(TOO_LARGE_UPLOAD))


def test_the_pages_head_begins_with_what_runs_before_gradio(page):
    answer = page.get("/")
    head = answer.text.index("<head>") + len("<head>")
    assert answer.text[head:].startswith(page_head())
    assert answer.text.count(page_head()) == 1
    assert "</script" not in page_head().removesuffix("</script>")
    assert page_head() not in page.get("/config").text


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_the_page_is_compressed_as_the_browser_can_read_it(page, coding):
    plain = page.get("/")
    with httpx.stream("GET", f"{page.address}/", headers={"Accept-Encoding": coding}, timeout=60) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding", "identity") == coding
    assert int(answer.headers["content-length"]) == len(raw)
    assert "Accept-Encoding" in answer.headers["vary"]
    read = {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}[coding](raw)
    assert b"<head>" in read
    assert len(read) == pytest.approx(len(plain.content), rel=0.01)  # a page has a number of its own
    assert coding == "identity" or len(raw) < len(read) / 3


def test_there_are_no_websockets(page):
    request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    request += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with socket.create_connection(("127.0.0.1", httpx.URL(page.address).port), 10) as connection:
        connection.sendall(request.encode())
        assert b" 101 " not in connection.recv(4096).splitlines()[0]


# --- messages ---------------------------------------------------------------------------------------------------

WHOLE = {"data": [2, 0, 0], "fn_index": 0, "session_hash": "here"}
BODIES = [b"", b"{", b"[]", b"5", b"null", b"\xff\xfe", b'{"data": 5e}', b"[" * 100_000, b'{"a":' * 100_000]
BODIES += [b'{"data": [%s]}' % (b"9" * 5000), b'{"data": [' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]}"]
WRONG = [{"data": 5}, {"data": None}, {"data": {"0": 1}}, {"fn_index": "0"}, {"fn_index": True}, {"fn_index": 0.5}]
WRONG += [{"trigger_id": "1"}, {"batched": True}, {"simple_format": 1}, {"event_id": 5}, {"oauth_token": []}]
WRONG += [{"session_hash": each} for each in (5, "", "x" * 65, "a b", "../x", "\ud800", "\x00", "한")]
ROUTES = ["/gradio_api/queue/join", "/gradio_api/run/caption", "/gradio_api/api/caption", "/gradio_api/call/caption"]


@pytest.mark.parametrize("route", [*ROUTES, "/gradio_api/call/v2/caption", "/gradio_api/cancel", "/gradio_api/reset"])
def test_bytes_that_are_no_message(page, goes_on, route):
    for body in BODIES:
        with logged() as lines:
            answer = page.post(route, content=body, headers=JSON)
        assert answer.status_code == 400, body[:20]
        assert "please" in sentence(answer)
        assert len(lines) == 1


@pytest.mark.parametrize("change", WRONG, ids=lambda change: ascii(change)[:40])
def test_fields_of_the_wrong_kind(page, goes_on, change):
    for route in ROUTES:
        with logged() as lines:
            answer = page.post(route, content=json.dumps({**WHOLE, **change}), headers=JSON)
        assert answer.status_code == 400
        assert "\n" not in sentence(answer)
        assert len(lines) == 1


@pytest.mark.parametrize("number", [-1, 9999, 10**30])
def test_events_that_do_not_exist(page, goes_on, number):
    answers = [page.post("/gradio_api/queue/join", content=json.dumps({**WHOLE, "fn_index": number}), headers=JSON)]
    answers += [page.post(f"/gradio_api/{route}/nothing", json={"data": []}) for route in ("run", "call", "call/v2")]
    for answer in answers:
        assert (answer.status_code, sentence(answer)) == (404, NO_ENDPOINT)


def test_a_message_without_a_session_or_event_is_refused(page, goes_on):
    assert page.post("/gradio_api/queue/join", json={"data": [], "fn_index": 0}).status_code == 400
    assert page.post("/gradio_api/queue/join", json={"data": [], "session_hash": "x"}).status_code == 404
    assert page.post("/gradio_api/cancel", json={"session_hash": "x"}).status_code == 422


def test_fields_that_nobody_knows_are_not_read(page, photo):
    message = {**page.message("score", [photo, "a dog"]), "admin": True, "foreign": {"a": [1]}}
    assert page.post("/gradio_api/queue/join", json=message).status_code == 200
    assert outcome(page.messages()) == (None, [])


def test_nobody_passes_by_the_queue(page, photo, goes_on):
    assert page.post("/gradio_api/run/caption", json={"data": [photo, 2, 0, 0]}).status_code == 404


def test_streams_of_nobody_end(page, goes_on):
    for path in ("/gradio_api/queue/data?session_hash=nobody", "/gradio_api/call/caption/nothing"):
        with logged() as lines:
            answer = page.get(path)
        assert "Traceback" not in answer.text
        assert [line.split()[0] for line in lines] == ["WARNING"], "a refusal, no fault of the server"


def test_nesting_is_bounded():
    deep = 5
    for _ in range(MAX_DEPTH - 2):
        deep = [deep]
    assert parsed(json.dumps({"data": deep}).encode()) == {"data": deep}
    with pytest.raises(MessageError):
        parsed(json.dumps({"data": [deep]}).encode())


# --- too much ---------------------------------------------------------------------------------------------------


def test_a_message_of_too_many_bytes(page, goes_on):
    with logged() as lines:
        answer = page.post("/gradio_api/queue/join", content=b" " * (MAX_MESSAGE + 1), headers=JSON)
    assert (answer.status_code, sentence(answer)) == (413, TOO_LARGE_MESSAGE)
    assert len(lines) == 1


@pytest.mark.parametrize("told", [True, False], ids=["length told", "in chunks"])
def test_an_upload_of_too_many_bytes(page, goes_on, told):
    """Whether one file is too large, or all of them together; nothing of it stays."""
    folder = Path(get_upload_folder())
    before = set(folder.iterdir())
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%d.png"\r\n\r\n%s\r\n'
    for count in (1, 5):
        size = MAX_UPLOAD // count + 1
        body = b"".join(part % (each, bytes(size)) for each in range(count)) + b"--x--\r\n"
        chunks = (body[start : start + 2**20] for start in range(0, len(body), 2**20))
        with logged() as lines:
            answer = page.post(
                "/gradio_api/upload",
                content=body if told else chunks,
                headers={"Content-Type": "multipart/form-data; boundary=x"},
            )
        assert (answer.status_code, answer.text) == (413, TOO_LARGE_UPLOAD)
        assert len(lines) == 1
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("content", [b"", b"--x", b"no parts", b"--x\r\n\r\n--x--\r\n"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""])
def test_uploads_of_no_sense(page, goes_on, content, kind):
    with logged() as lines:
        answer = page.post("/gradio_api/upload", content=content, headers={"Content-Type": kind})
    assert len(answer.text.splitlines()) == 1
    assert "Traceback" not in answer.text
    assert len(lines) == (answer.status_code >= 400)


# --- the net ----------------------------------------------------------------------------------------------------


def test_a_route_that_fails_is_answered(page, goes_on, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("of our own")

    with monkeypatch.context() as patch, logged() as lines:
        patch.setattr(gr.routes.route_utils, "get_api_call_path", fail)
        patch.setattr(gr.routes.client_utils, "is_http_url_like", fail)
        answer = page.get("/gradio_api/file=/tmp/x")
    assert (answer.status_code, sentence(answer)) == (500, FAILED)
    (line,) = lines
    assert line.startswith("ERROR failed GET '/gradio_api/file=/tmp/x': RuntimeError at ")


PART = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nhalf of it'
HALVES = {"upload": PART, "queue/join": b'{"data": [', "cancel": b"{"}


@contextmanager
def half_sent(page, route):
    """A connection on which more is promised than comes."""
    address = httpx.URL(page.address)
    head = f"POST /gradio_api/{route} HTTP/1.1\r\nHost: here\r\nContent-Length: 500\r\n"
    with socket.create_connection((address.host, address.port), timeout=60) as line:
        line.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode() + HALVES[route])
        yield line


def wait_until(happened):
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kept():
    """Files among the uploads, and not in a folder of their own."""
    return {path for path in Path(get_upload_folder()).iterdir() if path.is_file()}


@pytest.mark.parametrize("route", HALVES)
def test_whoever_hangs_up_in_mid_request_leaves_nothing_behind(page, goes_on, route):
    before = kept()
    with logged() as lines:
        with half_sent(page, route):
            wait_until(lambda: route != "upload" or kept() != before)
        wait_until(lambda: lines)
    assert len(lines) == 1
    assert lines[0].startswith(f"WARNING refused POST '/gradio_api/{route}'")
    assert kept() == before


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["PIECE_SECONDS", "WHOLE_SECONDS"])
@pytest.mark.parametrize("route", HALVES)
def test_whoever_stops_sending_is_told_and_let_go(page, goes_on, monkeypatch, route, limit):
    monkeypatch.setattr(gate, limit, 0.2)
    before = kept()
    with logged() as lines, half_sent(page, route) as line:
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert BROKEN_OFF.encode() in answer
    assert len(lines) == 1
    assert kept() == before


def test_hundreds_who_say_nothing_keep_nobody_out(page, goes_on):
    address = httpx.URL(page.address)
    with ExitStack() as silent:
        for _ in range(200):
            silent.enter_context(socket.create_connection((address.host, address.port), timeout=60))
        assert page.get("/config").status_code == 200

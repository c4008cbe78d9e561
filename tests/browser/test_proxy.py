"""The snippets of docs/hosting.md, a real nginx and Caddy in front of the page: prefix, TLS, stream, uploads."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from conftest import PLAIN, tiny_captioner
from driver import data, finished, upload
from serving import served

from demo.door.middleware import MAX_UPLOAD, TOO_LARGE_UPLOAD

pytestmark = pytest.mark.browser

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "hosting.md").read_text(encoding="utf-8")
WORDS_APART = 0.1  # seconds; as `tiny_captioner` writes


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def certificate(folder: Path) -> tuple[Path, Path]:
    pem, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(pem)]
    subprocess.run(command, check=True, capture_output=True)
    return pem, key


def nginx(folder: Path, inner: int, outer: int) -> tuple[list[str], str]:
    pem, key = certificate(folder)
    (snippet,) = snippets("nginx")
    server = (
        snippet.replace("/etc/ssl/certs/example.org.pem", str(pem))
        .replace("/etc/ssl/private/example.org.key", str(key))
        .replace("127.0.0.1:7860", f"127.0.0.1:{inner}")
        # What the site itself has at its root is no matter of the page's; a browser asks for an icon there.
        .replace("location = /captions", "location = /favicon.ico { return 204; } location = /captions")
        .replace("listen 443", f"listen 127.0.0.1:{outer}")
    )
    paths = "".join(f"{each}_temp_path {folder};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = f"user root; daemon off; pid {folder}/pid; error_log stderr; events {{}}"
    text += f" http {{ access_log off; {paths} {server} }}"
    (folder / "nginx.conf").write_text(text)
    return ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], f"https://127.0.0.1:{outer}"


def caddy(folder: Path, inner: int, outer: int) -> tuple[list[str], str]:
    pem, key = certificate(folder)
    site, timeouts = snippets("caddy")
    site = site.replace("127.0.0.1:7860", f"127.0.0.1:{inner}")
    site = site.replace("example.org {", f"https://127.0.0.1:{outer} {{\n    tls {pem} {key}", 1)
    options = timeouts.replace("{", "{\n    admin off\n    auto_https disable_redirects", 1)
    (folder / "Caddyfile").write_text(options + site)
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    return command, f"https://127.0.0.1:{outer}"


@pytest.fixture(scope="module", params=[nginx, caddy], ids=lambda each: each.__name__)
def proxied(request, tmp_path_factory):
    """The page behind a proxy: its address there."""
    if not shutil.which(request.param.__name__):
        pytest.skip(f"this needs {request.param.__name__}")
    folder = tmp_path_factory.mktemp("proxy")
    with served(tiny_captioner(PLAIN), root_path="/captions") as page:
        command, address = request.param(folder, httpx.URL(page.address).port, free_port())
        environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder)}
        with subprocess.Popen(command, env=environment, stderr=(folder / "log").open("w")) as process:
            try:  # `Popen` waits for the process on its way out, whatever happened
                end = time.monotonic() + 60
                while not answers(address):
                    assert process.poll() is None, (folder / "log").read_text()
                    assert time.monotonic() < end
                    time.sleep(0.1)
                yield f"{address}/captions"
            finally:
                process.terminate()


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/captions/", verify=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def client():
    with httpx.Client(verify=False, timeout=120) as client:
        yield client


def test_the_photo_is_shown_and_words_arrive(proxied, open_page, photo):
    page = open_page(f"{proxied}/", ignore_https_errors=True)
    run = finished(page)
    upload(page, photo)
    finished(page, run)
    assert page.locator(".sat-photo").evaluate("image => image.naturalWidth") == 200
    assert page.locator(".sat-photo").evaluate("image => image.src").startswith(f"{proxied}/gradio_api/file=")
    assert data(page)["phase"] == "done"


def test_without_its_slash_the_address_leads_to_the_page(proxied, client):
    assert client.get(proxied).headers["location"].endswith("/captions/")


def test_what_is_closed_is_closed(proxied, client):
    for path in ("/monitoring", "/gradio_api/deep_link", "/logout"):
        assert client.get(proxied + path).status_code == 404


def test_a_cameras_frames_find_their_way(proxied, client, photo):
    frame = base64.b64encode(photo.read_bytes()).decode("ascii")
    answer = client.post(f"{proxied}/gradio_api/run/live", json={"data": [frame, 1, []]})
    assert answer.status_code == 200
    assert len(answer.json()["data"][0]["words"]) > 1


def test_words_are_not_held_back(proxied, client, photo):
    """Each word arrives on its own; a proxy that buffers would hand them over together."""
    path = client.post(f"{proxied}/gradio_api/upload", files={"files": photo.read_bytes()}).json()[0]
    argument = {"path": path, "meta": {"_type": "gradio.FileData"}}
    joined = client.post(f"{proxied}/gradio_api/call/caption", json={"data": [argument, 1, 0, 0]})
    times = []
    with client.stream("GET", f"{proxied}/gradio_api/call/caption/{joined.json()['event_id']}") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: [") and json.loads(line[6:]):
                times.append(time.monotonic())
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(times) > 4
    assert sorted(gaps)[len(gaps) // 2] > WORDS_APART / 2


def test_an_upload_may_be_as_large_as_the_page_allows(proxied, client):
    assert client.post(f"{proxied}/gradio_api/upload", files={"files": bytes(MAX_UPLOAD - 1000)}).status_code == 200
    answer = client.post(f"{proxied}/gradio_api/upload", files={"files": bytes(MAX_UPLOAD + 1)})
    assert (answer.status_code, answer.text) == (413, TOO_LARGE_UPLOAD)
    assert client.post(f"{proxied}/gradio_api/upload", files={"files": bytes(50 * 2**20)}).status_code == 413

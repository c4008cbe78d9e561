"""`app.py` as a host runs it: its port, its health, nowhere to write, and a clean stop."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app import FORMS, port

gradio_client = pytest.importorskip("gradio_client")

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 180  # seconds, on a busy machine


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class App:
    """``app.py`` in a process of its own, with no home and a working directory that may not be written."""

    def __init__(self, folder: Path, checkpoint: Path, **environment: str) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        (folder / "cwd").mkdir()
        (folder / "cwd").chmod(0o555)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRADIO", "MPL", "XDG"))}
        kept |= {"HOME": "/nonexistent", "TMPDIR": str(self.temporary), "PYTHONDONTWRITEBYTECODE": "1"}
        kept |= {"HTTP_PROXY": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1", **environment}
        self.log = (folder / "log").open("w+", encoding="utf-8")
        command = [sys.executable, str(ROOT / "app.py"), "--checkpoint", str(checkpoint)]
        self.process = subprocess.Popen(command, env=kept, cwd=folder / "cwd", stdout=self.log, stderr=self.log)

    def written(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def wait_for(self, address: str) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return httpx.get(address, timeout=PATIENCE, trust_env=False)
            except httpx.TransportError:
                time.sleep(0.2)
        raise AssertionError(self.written())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def number() -> int:
    return free_port()


@pytest.fixture(scope="module")
def app(tmp_path_factory, saved_checkpoint, number):
    app = App(tmp_path_factory.mktemp("host"), saved_checkpoint, PORT=str(number), GRADIO_SERVER_NAME="127.0.0.2")
    app.wait_for(f"http://127.0.0.2:{number}/healthz")
    yield app
    app.process.kill()
    app.process.wait()
    app.log.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "my-secret-name.png"
    Image.fromarray(np.arange(48 * 32 * 3, dtype=np.uint8).reshape(32, 48, 3)).save(path)
    return path


@pytest.fixture(scope="module")
def client(app, number):
    return gradio_client.Client(f"http://127.0.0.2:{number}", verbose=False)


@pytest.mark.slow
def test_it_is_served_where_the_environment_says(app, number):
    health = httpx.get(f"http://127.0.0.2:{number}/healthz", trust_env=False)
    found = health.json()
    form = {"form": found.get("form"), "engine": found.get("engine")}
    assert (health.status_code, found) == (200, {"status": "ok", "model": "tiny", **form})
    assert form["form"] in FORMS
    assert form["engine"].startswith("OpenVINO " if form["form"] == "int8" else ("OpenVINO ", "PyTorch "))
    assert f"tiny computes in the form {form['form']}, by {form['engine']}" in app.written()
    assert "Show, Attend and Tell" in httpx.get(f"http://127.0.0.2:{number}/", trust_env=False).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{number}/healthz", trust_env=False)


@pytest.mark.slow
def test_a_request_is_one_line_of_log_without_the_photo(app, client, photo):
    answer = client.predict(gradio_client.handle_file(photo), 1, 0, 0, api_name="/caption")
    with pytest.raises(gradio_client.exceptions.AppError, match="beam_size"):
        client.predict(gradio_client.handle_file(photo), 0, 0, 0, api_name="/caption")
    assert answer["done"]
    lines = [line for line in app.written().splitlines() if "caption" in line]
    assert len(lines) == 2
    assert re.search(r"INFO done /caption in \d+\.\d\d s$", lines[0])
    assert "WARNING refused" in lines[1]
    assert photo.stem not in app.written()
    assert "Traceback" not in app.written()


@pytest.mark.slow
def test_it_stops_cleanly_in_mid_caption_with_a_tab_open(app, client, photo, number):
    """Last in this module: the server is gone afterwards."""
    begun = threading.Event()

    def watch() -> None:
        address = f"http://127.0.0.2:{number}/gradio_api/heartbeat/tab"
        with httpx.Client(trust_env=False, timeout=None) as tab, tab.stream("GET", address) as stream:
            for _ in stream.iter_raw():
                begun.set()

    tab = threading.Thread(target=_quietly, args=(watch,), daemon=True)
    tab.start()
    assert begun.wait(PATIENCE)
    jobs = [client.submit(gradio_client.handle_file(photo), 20, 1, 0, api_name="/caption") for _ in range(8)]
    while not any(job.outputs() for job in jobs):
        time.sleep(0.05)
    assert list(app.temporary.rglob("*.png")), "uploads are kept in the folder for temporary files"
    assert app.stop() == 0
    assert list(app.temporary.iterdir()) == []
    assert "Traceback" not in app.written()
    tab.join(PATIENCE)
    assert not tab.is_alive()


def _quietly(function) -> None:
    """The connection may end in any way."""
    with contextlib.suppress(httpx.HTTPError):
        function()


@pytest.mark.slow
def test_a_port_that_is_taken_is_one_sentence(tmp_path, saved_checkpoint):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        app = App(tmp_path, saved_checkpoint, GRADIO_SERVER_PORT=str(number), PORT="1")
        assert app.process.wait(PATIENCE) == 1
    assert f"Port {number} could not be opened; set" in app.written()
    assert "Traceback" not in app.written()


@pytest.mark.slow
def test_a_stop_while_loading_is_clean_too(tmp_path, saved_checkpoint):
    app = App(tmp_path, saved_checkpoint)
    while not list(app.temporary.iterdir()) and app.process.poll() is None:
        time.sleep(0.01)
    assert app.stop() == 0
    assert [line for line in app.written().splitlines() if " INFO " not in line] == []
    assert list(app.temporary.iterdir()) == []


@pytest.mark.slow
def test_a_port_that_is_none_is_one_sentence(tmp_path, saved_checkpoint):
    app = App(tmp_path, saved_checkpoint, GRADIO_SERVER_PORT="web")
    assert app.process.wait(PATIENCE) == 1
    assert app.written().startswith("GRADIO_SERVER_PORT must be a number")
    assert app.written().count("\n") == 1


def test_which_port():
    assert port({}) is None
    assert port({"PORT": ""}) is None
    assert port({"PORT": "80"}) == 80
    assert port({"PORT": "80", "GRADIO_SERVER_PORT": "7860"}) == 7860
    for wrong in ("x", "0", "65536", "-1", "1.5", "²"):
        with pytest.raises(ValueError, match=r"^PORT must be a number from 1 to 65535"):
            port({"PORT": wrong})


def test_the_front_matter_is_what_spaces_read():
    yaml = pytest.importorskip("yaml")
    head = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert {"title", "emoji", "colorFrom", "colorTo", "license", "tags"} <= head.keys()
    assert head["sdk"] == "gradio"
    assert (ROOT / head["app_file"]).is_file()
    assert len(head["short_description"]) <= 60
    assert head["python_version"] == "3.11"
    versions = re.search(r"gradio>=(\d+)\.(\d+),<(\d+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    low, tested = tuple(map(int, versions.groups()[:2])), tuple(map(int, head["sdk_version"].split(".")))
    assert low <= tested < (int(versions[3]),)
    json.dumps(head)

"""The Ray Data pipeline of docs/many-photos.md, as it stands there: against the library, and with an actor killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_many import PATIENCE, alive, captions, linux, many, model  # noqa: F401  (fixtures)

from captioner.pipeline import Captioner

ROOT = Path(__file__).resolve().parent.parent
ray = pytest.importorskip("ray", reason="this needs ray[data]")


@pytest.fixture
def run(model, many, tmp_path):  # noqa: F811
    """The script of the page, at work on sixty photos, and where its results are going to be."""
    page = (ROOT / "docs" / "many-photos.md").read_text("utf-8")
    script = tmp_path / "caption_with_ray.py"
    script.write_text(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], encoding="utf-8")
    (many / "damaged.jpg").write_bytes(b"not a photo")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_DATA_DISABLE_PROGRESS_BARS": "1"}
    with subprocess.Popen(
        [sys.executable, str(script), str(many), str(tmp_path / "captions"), str(model)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        yield process, tmp_path / "captions"
        process.kill()


def actors():
    """Processes that caption; Ray renames them after what they do."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"ray::" in command and b"CaptionPhotos" in command:
            yield int(folder.name)


@linux
@pytest.mark.parametrize("kill", [False, True], ids=["undisturbed", "an actor killed"])
def test_every_photo_has_the_caption_that_the_library_writes(run, model, many, kill):  # noqa: F811
    process, output = run
    if kill:
        end = time.monotonic() + PATIENCE
        while not (found := list(actors())):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(found[0], signal.SIGKILL)
    assert process.wait(PATIENCE) == 0
    rows = [json.loads(line) for path in output.glob("*.json") for line in path.read_text("utf-8").splitlines()]
    captioner = Captioner.load(model)
    texts = {suffix: captioner.caption(next(many.glob(f"0*{suffix}"))).text for suffix in (".jpg", ".png")}
    assert sorted(Path(row["image"]).name for row in rows) == sorted(each.name for each in many.iterdir())
    for row in rows:
        damaged = Path(row["image"]).name == "damaged.jpg"
        assert row["caption"] == ("" if damaged else texts[Path(row["image"]).suffix])
        assert ("not an image" in row["error"]) == damaged

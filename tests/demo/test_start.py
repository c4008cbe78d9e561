"""The first page waits for nothing that only a later one needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LATER = {"matplotlib", "skimage", "scipy", "playwright", "transformers", "pycocoevalcap", "captioner.training"}

PROGRAM = """
import json, sys
from pathlib import Path

import httpx

from captioner.pipeline import Captioner
from captioner.render import Style
from captioner.search import SearchSettings
from demo.server import started, stop
from demo.page.downloads import write_download
from demo.runs.engine import Engine
from demo.runs.tabs import Tabs

captioner = Captioner.load(sys.argv[1])
page = started(captioner, quiet=True)
served = httpx.get(page.local_url, trust_env=False)
before = sorted(sys.modules)
stop(page)

tabs = Tabs(Engine(captioner, Path(sys.argv[2])))
from demo.page.examples import examples
*_, last = tabs.show("tab", examples()[0].path, SearchSettings(1, max_length=3))
taken = write_download(tabs.result("tab"), 0, "png", Style(), Path(sys.argv[2]))
print(json.dumps([served.status_code, before, sorted(sys.modules), taken.read_bytes()[:4].hex()]))
"""


@pytest.fixture(scope="module")
def program(saved_checkpoint, tmp_path_factory):
    """Status of the first page, the modules imported by then and after a download, the download's first bytes."""
    views = tmp_path_factory.mktemp("views")
    command = [sys.executable, "-c", PROGRAM, str(saved_checkpoint), str(views)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_first_page_is_served_before_anything_that_draws_is_imported(program):
    status, before, _, _ = program
    assert status == 200
    assert not LATER & set(before)


@pytest.mark.slow
def test_the_first_download_brings_it_in(program):
    *_, after, taken = program
    assert {"matplotlib", "skimage"} <= set(after)
    assert bytes.fromhex(taken) == b"\x89PNG"

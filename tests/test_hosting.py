"""What a host is given: the files that the container copies, and those that one command sends to a Space."""

import json
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from huggingface_hub import HfApi, RepoUrl
from huggingface_hub.utils import filter_repo_objects

ROOT = Path(__file__).resolve().parent.parent
URL = "https://huggingface.co/spaces/YOU/show-attend-and-tell"
NEEDED = {
    "app.py",
    "LICENSE",
    "requirements.txt",
    "captioner/pipeline.py",
    "captioner/render/figure.py",
    "demo/page/ui.py",
    "demo/static/player.js",
    "demo/static/model/state.js",
    "checkpoints/everyday/model.safetensors",
    "checkpoints/everyday/vocabulary.json",
    "checkpoints/everyday/card.json",
    "checkpoints/everyday/NOTICE.md",
    "checkpoints/everyday/LICENSE-resnet50-pqf.txt",
}
LEFT_OUT = {
    ".git/config",
    ".gitattributes",
    ".venv/bin/python",
    ".pytest_cache/README.md",
    ".mypy_cache/3.11/app.data.json",
    "captioner/__pycache__/photo.cpython-311.pyc",
    "demo/page/__pycache__/ui.cpython-311.pyc",
    "runs/flickr8k/model.safetensors",
    "photos/me.jpg",
    "tests/test_hosting.py",
    "benchmarks/load.py",
}


# --- the container ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """The container file as (instruction, arguments)."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def commands(steps, name) -> list[str]:
    return [arguments for instruction, arguments in steps if instruction == name]


def in_context(path: str) -> bool:
    """Whether `.dockerignore` lets a file through: the last pattern that matches it, or a folder of it, decides."""
    let_through = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split():
        pattern = line.removeprefix("!").removeprefix("**/")
        whole = [path, *map(str, Path(path).parents)]
        parts = Path(path).parts if "**/" in line else ()
        if any(fnmatch(each, pattern) and (pattern != "*" or "/" not in each) for each in (*whole, *parts)):
            let_through = line.startswith("!")
    return let_through


def test_every_step_is_one_that_containers_know(steps):
    assert steps[0] == ("FROM", "python:3.11-slim")
    assert {name for name, _ in steps} <= {
        "FROM",
        "ENV",
        "WORKDIR",
        "ARG",
        "COPY",
        "RUN",
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "CMD",
    }
    for pair in shlex.split(" ".join(commands(steps, "ENV"))):
        assert re.fullmatch(r"[A-Z_]+=\S+", pair)


def test_what_it_copies_is_there_and_is_all_that_is_needed(steps):
    copied = set()
    for *sources, target in map(str.split, commands(steps, "COPY")):
        for source in sources:
            assert (ROOT / source).exists()
            assert in_context(source)
            assert target in (".", "./", source), "a folder keeps its name"
            copied.add(source)
    for path in NEEDED:
        assert in_context(path), path
        assert copied & {path, path.split("/")[0]}, path
    for path in LEFT_OUT:
        assert not in_context(path), path


def test_its_commands_can_be_run(steps, tmp_path):
    (start,), (health,) = commands(steps, "CMD"), commands(steps, "HEALTHCHECK")
    assert json.loads(start) == ["python", "app.py"]
    program, flag, code = json.loads(health.partition("CMD ")[2])
    assert (program, flag) == ("python", "-c")
    environment = {"PORT": "1", "NO_PROXY": "*"}
    sick = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert sick.returncode != 0
    assert "Connection refused" in sick.stderr, "it asks, and nobody answers there"


def test_it_runs_as_nobody_with_no_home(steps):
    names = [name for name, _ in steps]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", commands(steps, "USER")[0])
    assert max(at for at, name in enumerate(names) if name in ("COPY", "RUN")) < names.index("USER")
    environment = dict(pair.split("=") for pair in shlex.split(" ".join(commands(steps, "ENV"))))
    assert environment["HOME"] == "/nonexistent"
    assert environment["GRADIO_SERVER_NAME"] == "0.0.0.0"
    assert commands(steps, "EXPOSE") == [environment["PORT"]]


# --- the Space --------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(monkeypatch) -> dict:
    """What the README's command asks of the Hub, in place of which somebody takes notes."""
    cli = pytest.importorskip("huggingface_hub.cli.hf")
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = re.findall(r"^hf upload .*$", readme, re.MULTILINE)
    noted: dict = {}

    def upload_folder(_, **options):
        noted.update(options)
        return URL

    monkeypatch.setattr(HfApi, "create_repo", lambda _, repo_id, **options: noted.update(options) or RepoUrl(URL))
    monkeypatch.setattr(HfApi, "upload_folder", upload_folder)
    monkeypatch.chdir(ROOT)
    cli.app(shlex.split(command)[1:], standalone_mode=False)
    return noted


def test_one_command_makes_a_space_of_this_folder(sent):
    assert (sent["repo_type"], sent["space_sdk"]) == ("space", "gradio")
    assert (sent["folder_path"], sent["path_in_repo"], sent["exist_ok"]) == (".", ".", True)


def test_a_space_gets_what_it_needs_and_nothing_else(sent):
    choice = {name: sent[name] for name in ("allow_patterns", "ignore_patterns")}
    needed = NEEDED | {"README.md"}
    assert set(filter_repo_objects(sorted(needed | LEFT_OUT), **choice)) == needed
    for pattern in sent["allow_patterns"]:
        assert list(ROOT.glob(pattern)), pattern

"""``pip install .`` brings the library, its command and the bundled model."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import skimage

from captioner.pipeline import DEFAULT_CHECKPOINT

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    stripped = {line.partition("#")[0].strip() for line in lines}
    return {line for line in stripped if line and not line.startswith("-r")}


def test_every_folder_of_the_library_is_packed():
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "captioner").rglob("*.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders | {"captioner_checkpoints"}


def test_what_is_needed_is_said_alike_in_both_places():
    needed = set(PROJECT["project"]["dependencies"])
    assert needed == requirements("requirements.txt") - {"gradio>=6.20,<7", "brotli>=1.1"}
    assert set(PROJECT["project"]["optional-dependencies"]["train"]) == requirements("requirements-train.txt")


@pytest.mark.slow
def test_the_installed_command_captions_with_the_bundled_model(tmp_path):
    wheels = tmp_path / "wheels"
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", wheels, "."]
    copy = tmp_path / "clone"
    copy.mkdir()
    for name in ("captioner", "checkpoints", "pyproject.toml", "README.md"):
        (copy / name).symlink_to(ROOT / name)
    subprocess.run([*map(str, build)], cwd=copy, check=True, capture_output=True, text=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        assert (
            "captioner = captioner.__main__:main"
            in archive.read(next(name for name in archive.namelist() if name.endswith("entry_points.txt"))).decode()
        )
    packed = {path.name for path in (tmp_path / "site" / "captioner_checkpoints" / "everyday").iterdir()}
    assert packed == {path.name for path in DEFAULT_CHECKPOINT.iterdir()}
    run = "import sys; sys.path.insert(0, sys.argv.pop(1)); from captioner.__main__ import main; sys.exit(main())"
    photo = Path(skimage.__file__).parent / "data" / "chelsea.png"
    captioned = subprocess.run(
        [sys.executable, "-c", run, str(tmp_path / "site"), "caption", str(photo)],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "captioner_checkpoints" not in captioned.stderr
    assert captioned.stdout.strip()

"""METEOR 1.5 (Denkowski and Lavie 2014), a Java program that comes with pycocoevalcap, run with patience."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from captioner.training.data.datasets import Tokens

JAR = "meteor-1.5.jar"
SECONDS = 120.0  # without an answer, until it is given up
FIELD = " ||| "


class MeteorError(ValueError):
    """METEOR cannot be had; the message says why."""


def meteor(captions: Sequence[Tokens], references: Sequence[Sequence[Tokens]], *, seconds: float = SECONDS) -> float:
    """METEOR of English captions, times 100.

    Raises:
        MeteorError: if the references are not in Latin letters, or Java is missing, fails or does not answer.
    """
    if not _latin(references):
        raise MeteorError("it knows no words of this language")
    java = shutil.which("java")
    if java is None:
        raise MeteorError("it needs Java, which is not installed here")
    with tempfile.TemporaryDirectory(prefix="meteor-") as folder, _program(java, _linked(Path(folder))) as process:
        try:
            return 100 * _asked(process, captions, references, seconds)
        except (OSError, ValueError) as error:
            raise MeteorError(f"its Java program failed or gave no answer in {seconds:g} s") from error


@contextmanager
def _program(java: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [java, "-Xmx2G", "-jar", JAR, "-", "-", "-stdio", "-l", "en", "-norm"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what it had not read is lost with it
                if pipe is not None:
                    pipe.close()


def _asked(
    process: subprocess.Popen[str], captions: Sequence[Tokens], references: Sequence[Sequence[Tokens]], seconds: float
) -> float:
    """The statistics of every caption, line by line, then the score of each and of all of them."""
    statistics = []
    for caption, own in zip(captions, references, strict=True):
        line = FIELD.join(["SCORE", *(" ".join(tokens) for tokens in own), " ".join(caption)])
        statistics += _answers(process, line, 1, seconds)
    *_, score = _answers(process, FIELD.join(["EVAL", *statistics]), len(captions) + 1, seconds)
    return float(score)


def _answers(process: subprocess.Popen[str], line: str, count: int, seconds: float) -> list[str]:
    """So many lines that answer one."""
    assert process.stdin is not None
    assert process.stdout is not None
    patience = threading.Timer(seconds, process.kill)
    patience.start()
    try:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        found = [process.stdout.readline().strip() for _ in range(count)]
    finally:
        patience.cancel()
    if not all(found):
        raise ValueError("no answer")
    return found


def _linked(folder: Path) -> Path:
    """The program copied to where no path has spaces: with them it would not find its data, nor through a link."""
    package = _package()
    shutil.copy(package / JAR, folder)
    (folder / "data").symlink_to(package / "data")
    return folder


def _package() -> Path:
    found = find_spec("pycocoevalcap.meteor")
    if found is None or not found.submodule_search_locations:
        raise MeteorError("pycocoevalcap is not installed")
    return Path(found.submodule_search_locations[0]).resolve()


def _latin(references: Sequence[Sequence[Tokens]]) -> bool:
    letters = [char for own in references[:200] for tokens in own for word in tokens for char in word if char.isalpha()]
    latin = sum(unicodedata.name(char, "").startswith("LATIN") for char in letters)
    return latin * 2 >= len(letters)

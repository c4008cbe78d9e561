"""The page from outside: how long until it is there, and what it holds in memory after many captions."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.hosted import hosted
from benchmarks.load import ask, connect, make_work
from benchmarks.timing import median_ratio, timed

BARE = "import torch, torchvision, gradio"
READINGS = 5


def start_row(starts: int) -> tuple[str, str, str]:
    """From `python app.py` to the first page, over the bare imports."""
    turns = [(_page(), timed(_bare)) for _ in range(starts + 1)][1:]  # the first reads the files into memory
    pages, bare = zip(*turns, strict=True)
    measured = f"{median_ratio(pages, bare):.2f} ({statistics.median(pages):.1f} s)"
    return f"start to first page / `{BARE}`", measured, "≤ 1.5"


def memory_rows(captions: int) -> list[tuple[str, str, str]]:
    """Resident memory of a fresh server, read on the way through so many captions of different photos."""
    every = max(1, captions // READINGS)
    rows = []
    with hosted() as server, tempfile.TemporaryDirectory() as folder:
        (client,) = connect(server, 1)
        work = make_work(min(captions, 40), Path(folder))
        rows.append(("resident memory once started, MB", f"{server.resident():.0f}", ""))
        for number in range(1, captions + 1):
            answer = ask(client, work[number % len(work)])
            if answer.error:
                raise SystemExit(f"caption {number} failed: {answer.error}")
            if number % every == 0:
                rows.append((f"after {number} captions", f"{server.resident():.0f}", "< 1500"))
    return rows


def _bare() -> None:
    subprocess.run([sys.executable, "-c", BARE], check=True)


def _page() -> float:
    """Seconds until the page is there."""
    start = time.perf_counter()
    with hosted() as server:
        httpx.get(server.address, trust_env=False, timeout=60).raise_for_status()
        return time.perf_counter() - start

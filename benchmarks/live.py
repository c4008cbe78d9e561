"""The live camera: captions a second, and the delay from a frame to its caption, alone and with others.

    python -m benchmarks.live

Starts `app.py` as a host would. A camera sends frames of 320 pixels one at a time, as the page does: the next one when
the words of the last have come. Its picture is still for a while, then another; every frame is a JPEG of its own.
"""

from __future__ import annotations

import argparse
import base64
import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
import numpy as np
from PIL import Image, ImageOps

from benchmarks.hosted import hosted
from benchmarks.timing import machine, table
from demo.page.examples import examples

SIZE = (320, 240)
QUALITIES = range(60, 91, 5)
STILL = 10  # frames
PATIENCE = 60  # seconds


class Camera(NamedTuple):
    """What one camera was answered: seconds from frame to caption, seconds of captioning, changes and refusals."""

    delays: list[float]
    captioning: list[float]
    changes: int
    waited: int
    seconds: float


def frames() -> Iterator[str]:
    """JPEG files in base64: a scene, its frames in changing quality, then the next scene."""
    scenes = []
    for example in examples():
        with Image.open(example.path) as image:
            scenes.append(ImageOps.fit(image.convert("RGB"), SIZE))
    number = 0
    while True:
        buffer = io.BytesIO()
        quality = QUALITIES[number % len(QUALITIES)]
        scenes[number // STILL % len(scenes)].save(buffer, "JPEG", quality=quality)
        yield base64.b64encode(buffer.getvalue()).decode("ascii")
        number += 1


def camera(address: str, beam_size: int, seconds: float, barrier: threading.Barrier) -> Camera:
    """One camera for so long; the first second does not count."""
    delays, captioning, changes, waited = [], [], 0, 0
    standing: list[str] = []
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        barrier.wait()
        begin = time.perf_counter() + 1
        for jpeg in frames():
            start = time.perf_counter()
            if start >= begin + seconds:
                break
            answer = client.post(f"{address}/gradio_api/run/live", json={"data": [jpeg, beam_size, standing]})
            shown = answer.raise_for_status().json()["data"][0]
            spent = time.perf_counter() - start
            if "words" in shown:
                standing = [word[0] for word in shown["words"]]
            if start < begin:
                continue
            if "words" not in shown:
                waited += 1
                continue
            delays.append(spent)
            captioning.append(shown["seconds"])
            changes += shown["changed"]
    return Camera(delays, captioning, changes, waited, seconds)


def row(name: str, found: Camera) -> tuple[str, ...]:
    """One camera's figures."""
    delay, own = (np.percentile(each, (50, 95)) for each in (found.delays, found.captioning))
    return (
        name,
        f"{len(found.delays) / found.seconds:.1f}",
        f"{1000 * delay[0]:.0f} / {1000 * delay[1]:.0f}",
        f"{1000 * own[0]:.0f}",
        f"{delay[1] / own[0]:.2f}",
        f"{found.changes} of {len(found.delays)}",
        str(found.waited),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--beam-size", type=int, nargs="+", default=[3, 5])
    options = parser.parse_args()
    rows = []
    with hosted() as server:
        health = httpx.get(f"{server.address}/healthz", trust_env=False, timeout=PATIENCE).json()
        for beam_size in options.beam_size:
            for cameras in (1, 2):
                barrier = threading.Barrier(cameras)
                with ThreadPoolExecutor(cameras) as pool:
                    runs = [
                        pool.submit(camera, server.address, beam_size, options.seconds, barrier) for _ in range(cameras)
                    ]
                    for each in runs:
                        rows.append(row(f"beam size {beam_size}, {cameras} camera(s)", each.result()))
    print(f"{machine()}; the encoder in {health['form']}, by {health['engine']}\n")
    head = ("", "captions a second", "delay, ms (50 / 95 %)", "one caption, ms", "95 % / one", "changed", "waited")
    print(table(head, rows))


if __name__ == "__main__":
    main()

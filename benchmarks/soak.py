"""Visitors of every kind for minutes on end: failures, resident memory, latency by kind of request.

    python -m benchmarks.soak --minutes 10

Starts `app.py` as a host would (or takes ``--url`` of a running page; its memory is then not seen).
A few people and programs drop photos, move sliders, ask what if, leave in mid-caption, send what is
no photo, and come back in a new tab, each in an order of its own. A refusal that was due is no failure.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio_client

from benchmarks.hosted import Hosted, hosted
from benchmarks.load import connect, make_work
from benchmarks.tab import Tab, problem
from benchmarks.timing import machine, percentiles, table

KINDS = ("photo", "slider", "what if", "cancelled", "bad input", "reconnect", "program")
WEIGHTS = (3, 6, 4, 2, 2, 1, 3)
PAUSE = 1.0  # seconds at most between two things that a visitor does


@dataclass
class Diary:
    """What happened: seconds by kind, sentences of what failed, (minute, MB) of resident memory."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[tuple[str, str]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)


class Visitor:
    """A person with a tab, or a program; does one thing after another until it is told to go."""

    def __init__(self, server: Hosted, photos: list[Path], seed: int, diary: Diary) -> None:
        self._server, self._photos, self._diary = server, photos, diary
        self._random = random.Random(seed)
        self._knobs = [2, 0, seed]
        (self._program,) = connect(server, 1)
        self._tab = Tab(server.address)
        self._answered = False

    def live(self, over: threading.Event) -> None:
        """Until it is over."""
        while not over.is_set():
            self._do(self._random.choices(KINDS, WEIGHTS)[0] if self._answered else "photo")
            over.wait(self._random.uniform(0, PAUSE))

    def _do(self, kind: str) -> None:
        deeds: dict[str, Callable[[], str]] = {
            "photo": self._photo,
            "slider": self._slider,
            "what if": self._what_if,
            "cancelled": self._cancelled,
            "bad input": self._bad_input,
            "reconnect": self._reconnect,
            "program": self._ask_as_program,
        }
        start = time.perf_counter()
        try:
            wrong = deeds[kind]()
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        self._diary.seconds[kind].append(time.perf_counter() - start)
        if wrong:
            self._diary.failures.append((kind, wrong))

    def _event(self, name: str, data: list[Any], event_data: Any = None) -> str:
        return problem(list(self._tab.messages(name, data, event_data)))

    def _photo(self) -> str:
        wrong = self._event("show", [self._tab.upload(self._random.choice(self._photos)), *self._knobs])
        self._answered = not wrong
        return wrong

    def _slider(self) -> str:
        self._knobs = [self._random.randint(1, 10), self._random.choice((0, 0, 0.7, 1.5)), self._random.randint(0, 99)]
        return self._event("search", self._knobs)

    def _what_if(self) -> str:
        asked = self._random.choice(
            (
                {"kind": "uniform"},
                {"kind": "own", "sentence": "a dog runs on the grass"},
                {"kind": "place", "position": 0, "region": [2, 2, 6, 6]},
                {"kind": "hide", "region": [0, 0, 6, 13]},
                {"kind": "settings", "settings": [1, 1, 7]},
            )
        )
        return self._event("ask", [], asked)

    def _cancelled(self) -> str:
        """The connection ends in mid-caption; the photo stays that of the tab."""
        stream = self._tab.messages("search", [5, 0, 0])
        for message in stream:
            if message["msg"] == "process_generating":
                break
        stream.close()
        self._answered = False
        return ""

    def _bad_input(self) -> str:
        """Each is refused in one sentence; an answer or a fault of the server is the failure."""
        bad = self._random.choice(
            (
                ("search", [10_000, 0, 0], None, "beam size must be"),
                ("search", [2, "hot", 0], None, "temperature must be"),
                ("ask", [], {"kind": "word", "position": 999, "word": "dog"}, "position must be"),
                ("ask", [], {"kind": "word", "position": 0, "word": "zzyzx"}, "does not know the word"),
                ("show", [self._no_photo(), *self._knobs], None, "image"),
            )
        )
        *event, expected = bad
        told = self._event(*event)
        return "" if expected in told else f"expected {expected!r}, was told {told!r}"

    def _no_photo(self) -> dict[str, Any]:
        path = self._photos[0].with_name("no-photo.png")
        path.write_bytes(b"no photo")
        return self._tab.upload(path)

    def _reconnect(self) -> str:
        self._tab.close()
        self._tab = Tab(self._server.address)
        self._answered = False
        return self._event("show_first", [])

    def _ask_as_program(self) -> str:
        photo = gradio_client.handle_file(self._random.choice(self._photos))
        answer = self._program.predict(photo, *self._knobs, api_name="/caption")
        return "" if answer["done"] else "the caption is not done"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="", help="of a running page; without it one is started here")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--visitors", type=int, default=6)
    options = parser.parse_args()
    with hosted(options.url) as server, tempfile.TemporaryDirectory() as folder:
        photos = [work.photo for work in make_work(12, Path(folder))]
        diary = soak(server, photos, options.visitors, 60 * options.minutes)
    report(diary, options)


def soak(server: Hosted, photos: list[Path], visitors: int, seconds: float) -> Diary:
    """So many visitors for so long; the memory is read twenty times on the way."""
    diary, over, start = Diary(), threading.Event(), time.monotonic()
    people = [Visitor(server, photos, seed, diary) for seed in range(visitors)]
    threads = [threading.Thread(target=each.live, args=(over,)) for each in people]
    for thread in threads:
        thread.start()
    while (spent := time.monotonic() - start) < seconds:
        diary.memory.append((spent / 60, server.resident()))
        time.sleep(min(seconds / 20, max(0.0, seconds - spent)))
    over.set()
    for thread in threads:
        thread.join()
    diary.memory.append(((time.monotonic() - start) / 60, server.resident()))
    return diary


def report(diary: Diary, options: argparse.Namespace) -> None:
    """Two Markdown tables."""
    print(f"{machine()}. {options.visitors} visitors, {options.minutes:g} minutes.\n")
    rows = []
    for kind in KINDS:
        failed = sum(each == kind for each, _ in diary.failures)
        rows.append((kind, len(diary.seconds[kind]), failed, *percentiles(diary.seconds[kind])))
    everything = [seconds for kind in KINDS for seconds in diary.seconds[kind]]
    rows.append(("all", len(everything), len(diary.failures), *percentiles(everything)))
    print(table(["request", "times", "failures", "50th percentile, s", "90th", "99th"], rows))
    shown = diary.memory[:: max(1, len(diary.memory) // 10)]
    print(
        "\n" + table(["minute", *(f"{minute:.1f}" for minute, _ in shown)], [["MB", *(f"{mb:.0f}" for _, mb in shown)]])
    )
    for kind, sentence in diary.failures[:10]:
        print(f"\nfailed: {kind}: {sentence}")


if __name__ == "__main__":
    main()

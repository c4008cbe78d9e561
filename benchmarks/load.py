"""Many visitors at once: failures, mixed-up results, throughput against the same work in sequence, refusals.

    python -m benchmarks.load --clients 30

Starts `app.py` as a host would (or takes ``--url`` of a running page). Every client is a
`gradio_client` with work of its own: a photo, a seed, and so a caption that no other gets. One
client does all the work in sequence, then all do their share at once; what comes back must be the
same. At the end they ask for more than the queue holds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import gradio_client
from gradio_client.utils import QueueError
from PIL import Image

from benchmarks.hosted import Hosted, hosted
from benchmarks.tab import PATIENCE
from benchmarks.timing import machine, percentiles, table
from demo.page.examples import examples


class Work(NamedTuple):
    """What one client asks, and like nobody else."""

    photo: Path
    beam_size: int
    temperature: float
    seed: int


class Answer(NamedTuple):
    """What came back, how long it took, and what went wrong, if anything did."""

    content: Any
    seconds: float
    error: str = ""

    @property
    def key(self) -> tuple[Any, ...]:
        """Tells the answers of different work apart: the caption, its log-probability, the first word's map."""
        return (self.content["caption"], self.content["log_prob"], self.content["words"][0]["attention"])


class Round(NamedTuple):
    """The same work in sequence and at once: seconds in all, and the answers in the same order."""

    in_sequence: float
    at_once: float
    first: list[Answer]
    second: list[Answer]

    @property
    def failures(self) -> int:
        """Answers that did not come."""
        return sum(bool(answer.error) for answer in (*self.first, *self.second))

    @property
    def mixed_up(self) -> int:
        """Answers that differ from those of the same work in sequence."""
        pairs = zip(self.first, self.second, strict=True)
        return sum(one.key != other.key for one, other in pairs if not one.error and not other.error)


def main() -> None:
    """Measure and print."""
    options = _options()
    with hosted(options.url) as server, tempfile.TemporaryDirectory() as folder:
        work = make_work(options.clients, Path(folder))
        clients = connect(server, len(work))
        ask(clients[0], work[0])  # the first request pays for what is loaded late
        rounds = [one_round(clients, work) for _ in range(options.rounds)]
        answered, refusals = crowd(clients, work, options.crowd)
        report(rounds, answered, refusals)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="", help="of a running page; without it one is started here")
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3, help="of all the work in sequence, then at once")
    parser.add_argument("--crowd", type=int, default=90, help="requests at once to go past the queue's limit")
    return parser.parse_args()


def make_work(count: int, folder: Path) -> list[Work]:
    """Photos that nobody else sends, cut from the example photos, half of them beam search, half sampling."""
    work = []
    for number in range(count):
        example = examples()[number % len(examples())]
        with Image.open(example.path) as image:
            path = folder / f"{number}.jpg"
            image.convert("RGB").crop((number, number, *image.size)).save(path, quality=95)
        work.append(Work(path, 3, float(number % 2), number))
    return work


def connect(server: Hosted, count: int) -> list[gradio_client.Client]:
    """Clients with sessions of their own, more patient than the five seconds that `gradio_client` gives an upload."""
    return [
        gradio_client.Client(server.address, verbose=False, httpx_kwargs={"timeout": PATIENCE}) for _ in range(count)
    ]


def ask(client: gradio_client.Client, work: Work) -> Answer:
    """One caption, timed from the upload to the last word."""
    start = time.perf_counter()
    try:
        photo = gradio_client.handle_file(work.photo)
        content = client.predict(photo, *work[1:], api_name="/caption")
    except Exception as error:
        return Answer(None, time.perf_counter() - start, str(error) or type(error).__name__)
    return Answer(content, time.perf_counter() - start)


def one_round(clients: Sequence[gradio_client.Client], work: Sequence[Work]) -> Round:
    """All the work by one client, one after the other; then every client's own at once."""
    start = time.perf_counter()
    first = [ask(clients[0], each) for each in work]
    middle = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        second = list(pool.map(ask, clients, work))
    return Round(middle - start, time.perf_counter() - middle, first, second)


def crowd(
    clients: Sequence[gradio_client.Client], work: Sequence[Work], count: int
) -> tuple[list[Answer], list[Answer]]:
    """So many requests at once: those that were answered, or failed, and those that the queue refused."""

    def one(number: int) -> Answer:
        return ask(clients[number % len(clients)], work[number % len(work)])

    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(one, range(count)))
    refused = [answer for answer in answers if answer.error == FULL]
    return [answer for answer in answers if answer.error != FULL], refused


FULL = str(QueueError("Queue is full! Please try again."))


def report(rounds: Sequence[Round], answered: Sequence[Answer], refusals: Sequence[Answer]) -> None:
    """A Markdown table."""
    count = len(rounds[0].first)
    ratio = statistics.median(each.in_sequence / each.at_once for each in rounds)
    first = [answer.seconds for each in rounds for answer in each.first]
    second = [answer.seconds for each in rounds for answer in each.second]
    different = len({answer.key for answer in rounds[0].first if not answer.error})
    print(f"{machine()}. Median of {len(rounds)} rounds, {count} captions each, {different} of them different.\n")
    rows = [
        ("failures", sum(each.failures for each in rounds)),
        ("mixed-up results", sum(each.mixed_up for each in rounds)),
        ("throughput at once / in sequence", f"{ratio:.2f}"),
        ("captions a second at once", f"{statistics.median(count / each.at_once for each in rounds):.2f}"),
        ("one after another: 50th, 90th, 99th percentile, s", ", ".join(percentiles(first))),
        (f"{count} at once: 50th, 90th, 99th percentile, s", ", ".join(percentiles(second))),
        (f"{len(answered) + len(refusals)} at once: answered", sum(not answer.error for answer in answered)),
        ("refused, the queue being full", len(refusals)),
        ("failed", sum(bool(answer.error) for answer in answered)),
    ]
    print(table(["", f"{count} clients"], rows))
    for sentence in sorted({answer.error for answer in refusals}):
        print(f"\nThe refusal: {sentence}")


if __name__ == "__main__":
    main()

"""Many photos: a process a core, each photo's line written as it is done, gone on with where it was stopped."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tqdm import tqdm

from captioner.commands.folders import Found, Report, Results, image_ids, sidecars, write_whole
from captioner.encoder_form import Form
from captioner.photo import PhotoError
from captioner.pipeline import Captioner
from captioner.settings import SearchSettings

MEMORY_OF_A_PROCESS = 1.5e9  # bytes, the model and a large photo
WORTH_A_PROCESS = 16  # photos: it takes seconds to start one
AHEAD = 4  # photos in line for each process
ENDED_THE_PROGRAM = "The program that read it was ended (for want of memory?); please try this photo alone."


class Task(NamedTuple):
    """What is done with each photo; `Work` is this with the model loaded."""

    checkpoint: Path
    settings: SearchSettings
    beginning: str
    device: torch.device = torch.device("cpu")
    form: Form | None = None

    def described(self, model: str) -> str:
        """All that decides a caption, in a line."""
        settings = self.settings
        drawn = f", temperature {settings.temperature:g}, seed {settings.seed}" if settings.temperature else ""
        begun = f", beginning {self.beginning!r}" if self.beginning else ""
        return f"{model}, beam size {settings.beam_size}, {settings.max_length} words at most{drawn}{begun}"


class Outcome(NamedTuple):
    """Of one photo: the numbers of its row in the results, or why it has none."""

    photo: Path
    row: dict[str, Any]
    refusal: str = ""


class Work:
    """A task with the model that does it."""

    def __init__(self, task: Task) -> None:
        self._task, self._captioner = task, Captioner.load(task.checkpoint, task.device, task.form)

    def __call__(self, photo: Path) -> Outcome:
        """Caption one photo; one that cannot be is said so of."""
        try:
            look = self._captioner.look(photo)
        except PhotoError as error:
            return Outcome(photo, {}, str(error))
        caption = self._captioner.caption(look, self._task.settings, self._task.beginning)
        log_prob = round(caption.log_prob, 4)
        return Outcome(photo, {"caption": caption.text, "log_prob": log_prob, "incomplete": look.incomplete})


def caption_many(
    task: Task, by: str, found: Found, output: Path | None, coco: bool, beside: bool, processes: int | None
) -> Report:
    """Caption all that has no caption yet, into a file and/or a text file beside each photo.

    Raises:
        OutputError: if a result cannot be written.
        CheckpointError, SettingsError: as `Captioner` does.
    """
    report, photos = Report(), dict.fromkeys(found.photos)
    texts = sidecars([*photos]) if beside else {}
    if coco:
        image_ids(map(found.name, photos))
    results = Results(output, task.described(by), coco) if output else None
    left = [photo for photo in photos if not _done(found.name(photo), results, texts.get(photo))]
    report.before = len(photos) - len(left)
    progress = tqdm(total=len(photos), initial=report.before, unit="photo", disable=None, leave=False, file=sys.stderr)
    images = None
    try:
        for outcome in outcomes(task, left, processes or processes_for(len(left))):
            _store(found.name(outcome.photo), outcome, results, texts.get(outcome.photo), report)
            progress.update()
        images = [found.name(photo) for photo in photos]
    finally:
        progress.close()
        if results:
            results.close(images)
    return report


def _done(image: str, results: Results | None, text: Path | None) -> bool:
    return (results is None or image in results.done) and (text is None or text.exists())


def _store(image: str, outcome: Outcome, results: Results | None, text: Path | None, report: Report) -> None:
    """The text first: a photo that has its line is never looked at again."""
    if outcome.refusal:
        report.skip(image, outcome.refusal)
        return
    if text and not text.exists():
        write_whole(text, outcome.row["caption"] + "\n")
    if results and image not in results.done:
        results.add(image, outcome.row)
    report.captioned += 1
    if outcome.row["incomplete"]:
        report.incomplete.append(image)


def processes_for(photos: int) -> int:
    """One a core, but no more than the photos are worth and the memory allows.

    A process of one thread a core is faster than one process of as many threads, or than batches: decoding
    and searching use one core, and only the encoder more (docs/many-photos.md has the figures).
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, photos // WORTH_A_PROCESS, int(_free_memory() / MEMORY_OF_A_PROCESS)))


def _free_memory() -> float:
    """Bytes that may be used without swapping; infinite where the system does not tell."""
    try:
        told = re.search(r"MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    except OSError:
        told = None
    return int(told[1]) * 1024 if told else float("inf")


def outcomes(task: Task, photos: Sequence[Path], processes: int) -> Iterator[Outcome]:
    """Every photo's outcome as it comes, in no order if there are several processes.

    A process that ends all of a sudden takes the others with it. The photos that were at work then are tried
    again one by one, and the one that ends its process once more is refused.
    """
    if processes == 1:
        yield from map(Work(task), photos)
        return
    left = iter(photos)
    while suspects := (yield from _until_broken(task, left, processes)):
        for photo in suspects:
            if (yield from _until_broken(task, iter([photo]), 1)):
                yield Outcome(photo, {}, ENDED_THE_PROGRAM)


def _until_broken(task: Task, photos: Iterator[Path], processes: int) -> Generator[Outcome, None, list[Path]]:
    """Outcomes until there is no photo left or a process broke; returns the photos that were at work then."""
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads can hang
    pool = ProcessPoolExecutor(processes, context, _start, (task,))
    at_work: dict[Future[Outcome], Path] = {}
    try:
        for photo in photos:
            try:
                at_work[pool.submit(_work, photo)] = photo
            except BrokenProcessPool:
                return [*at_work.values(), photo]
            if len(at_work) >= AHEAD * processes:
                yield from _ready(at_work)
        while at_work:
            yield from _ready(at_work)
    except BrokenProcessPool:
        return list(at_work.values())
    finally:
        pool.shutdown(cancel_futures=True)
    return []


def _ready(at_work: dict[Future[Outcome], Path]) -> Iterator[Outcome]:
    for future in wait(at_work, return_when=FIRST_COMPLETED).done:
        outcome = future.result()
        del at_work[future]
        yield outcome


_working: Callable[[Path], Outcome]


def _start(task: Task) -> None:
    """In each process: one thread, no Ctrl-C (the main process hears it), and an end if the main process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    global _working  # noqa: PLW0603  (a process has no other place for its model)
    try:
        _working = Work(task)
    except Exception as error:  # told by the first photo, as an executor only says that its process broke
        _working = partial(_raise, error)


def _raise(error: Exception, _photo: Path) -> Outcome:
    raise error


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(photo: Path) -> Outcome:
    return _working(photo)

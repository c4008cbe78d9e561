"""Fair timing: ways that take turns in one run, medians of the ratios of each turn; and the machine they ran on."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

Seconds = dict[str, list[float]]


def interleaved(ways: Mapping[str, Callable[[int], object]], rounds: int, warm_ups: int = 1) -> Seconds:
    """Seconds of each way, one a round: every round runs all ways, every other one in reverse order.

    Args:
        ways: by name; each is called with the round's number and returns once its work is done.
        warm_ups: rounds before those that count.
    """
    seconds: Seconds = {name: [] for name in ways}
    for turn in range(-warm_ups, rounds):
        for name in ways if turn % 2 else reversed(ways):
            spent = timed(lambda way=ways[name], turn=turn: way(turn))  # type: ignore[misc]
            if turn >= 0:
                seconds[name].append(spent)
    return seconds


def timed(act: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def median_ratio(over: Iterable[float], under: Iterable[float]) -> float:
    """Median of the ratios of each round, so that what slows the machine for a while slows both sides."""
    return statistics.median(one / other for one, other in zip(over, under, strict=True))


def median_difference(one: Iterable[float], less: Iterable[float]) -> float:
    """Median of the differences of each round."""
    return statistics.median(more - other for more, other in zip(one, less, strict=True))


def machine() -> str:
    """The processor, its cores, the memory, the GPU if there is one, and the versions that matter."""
    import gradio  # noqa: PLC0415  (slow, and only for its version)
    import torch  # noqa: PLC0415

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, gradio {gradio.__version__}"
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB{gpu}; {versions}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def percentiles(seconds: Sequence[float]) -> list[str]:
    """The 50th, 90th and 99th, in seconds."""
    return [f"{np.percentile(seconds, each):.2f}" if len(seconds) else "–" for each in (50, 90, 99)]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)

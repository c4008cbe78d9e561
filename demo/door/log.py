"""The log: one line a request, never the photo; what is refused or fails has one line too, and no traceback."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

LOG = logging.getLogger("demo")
EXCERPT = 200  # characters; a message quotes at most a few dozen of what was sent


@contextmanager
def logged(what: str) -> Iterator[None]:
    """Log the request that is answered inside; one that is refused or fails has its own."""
    start, outcome = time.perf_counter(), "refused"
    try:
        yield
        outcome = "done"
    except GeneratorExit:
        outcome = "left"
        raise
    finally:
        if outcome != "refused":
            LOG.info("%s %s in %.2f s", outcome, what, time.perf_counter() - start)


def refused(what: str, sentence: object) -> None:
    """Log that a visitor was told ``sentence``."""
    LOG.warning("refused %s: %s", one_line(what), one_line(sentence))


def failed(what: str, error: BaseException) -> None:
    """Log a fault of the program's own: where it is; the whole traceback only at the level of debugging."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    LOG.error("failed %s: %s at %s: %s", one_line(what), type(error).__name__, place, one_line(error))
    LOG.debug("the traceback", exc_info=error)


def one_line(text: object) -> str:
    """At most 200 characters, all of them plain ASCII, so that nothing sent can forge or hide a line of the log."""
    line = " ".join(str(text).split()).encode("ascii", "backslashreplace").decode("ascii")
    printable = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)
    return printable if len(printable) <= EXCERPT else printable[: EXCERPT - 3] + "..."

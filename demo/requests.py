"""One line of log a request: what it was, how it ended, how long it took; never the photo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from demo.refusals import LOG


@contextmanager
def logged(what: str) -> Iterator[None]:
    """Log the request that is answered inside; one that is refused or fails has its line from `demo.refusals`."""
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

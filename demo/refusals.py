"""What is refused or fails: one sentence for whoever asked, one line in the log, a traceback for nobody outside."""

from __future__ import annotations

import logging
import traceback

LOG = logging.getLogger("demo")
EXCERPT = 200  # characters; a message quotes at most a few dozen of what was sent

UNREADABLE = "That message could not be read; please reload the page."
FAILED = "Something went wrong on the server; please try again."
NO_ADDRESS = "Photos are not fetched from addresses; please send the file itself."
NOT_SENT = "That file was not sent to this page; please send a photo."


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

"""``--sources``, or ``--data`` and ``--photos``: how the commands are told where the data lie."""

from __future__ import annotations

import argparse
from pathlib import Path

from captioner.training.data.sources import Source, read_sources
from captioner.training.options import OptionError


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--sources", type=Path, help="JSON of several data sets; see docs/data.md")
    parser.add_argument("--data", type=Path, help="captions of a single data set instead; see docs/data.md")
    parser.add_argument("--photos", type=Path, help="folder of its photos")
    parser.add_argument("--val", type=Path, help="list of its val photos, where the captions' form has no splits")


def sources_of(a: argparse.Namespace) -> tuple[Source, ...]:
    """The data sets that were named.

    Raises:
        OptionError: if none, or both ways at once.
    """
    if a.sources is not None:
        if a.data or a.photos or a.val or getattr(a, "entities", None):
            raise OptionError("--sources names data, photos and boxes itself; leave the options for a single set out")
        return read_sources(a.sources)
    if a.data is None or a.photos is None:
        raise OptionError("name the data: --data CAPTIONS --photos FOLDER, or --sources SOURCES.json for several sets")
    return (Source("", a.data, a.photos, getattr(a, "entities", None), a.val),)

"""Memory given back to the machine: glibc keeps what was freed, for every thread apart, unless it is told."""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8  # malloc.h
ARENAS = 2


def share() -> None:
    """Let all threads share a few pools of memory. Call before they are started; nothing happens without glibc."""
    _glibc("mallopt", M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give back what is free."""
    _glibc("malloc_trim", 0)


def _glibc(name: str, *numbers: int) -> None:
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return
    function(*numbers)

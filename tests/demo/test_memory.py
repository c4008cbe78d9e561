"""Memory is given back: glibc is asked to, by this process and by the server, and it does."""

import ctypes
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import make_checkpoint

from captioner.pipeline import Captioner
from demo import server
from demo.runs import kept

ROOT = Path(__file__).resolve().parent.parent.parent

# Many small blocks, all but the last freed: what lies below the last one stays with the process until it is trimmed.
PROGRAM = """
import ctypes, sys
from pathlib import Path
from demo.runs.kept import trim

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = []
for _ in range(2000):
    blocks.append(libc.malloc(64 * 1024))
    ctypes.memset(blocks[-1], 1, 64 * 1024)
last = blocks.pop()
for block in blocks:
    libc.free(block)
before = resident()
trim()
print(before - resident())
"""


class Library:
    """Notes what is called of it."""

    def __init__(self):
        self.called = []

    def __getattr__(self, name):
        return lambda *numbers: self.called.append((name, *numbers))


def has_glibc() -> bool:
    return hasattr(ctypes.CDLL(None), "malloc_trim")


def test_what_glibc_is_asked_for(monkeypatch):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    kept.trim()
    kept.share_arenas()
    assert library.called == [("malloc_trim", 0), ("mallopt", -8, 2)], "M_ARENA_MAX of malloc.h is -8"


def test_without_glibc_nothing_happens(monkeypatch):
    for missing in (object(), None):
        monkeypatch.setattr(ctypes, "CDLL", lambda _, library=missing: library)
        kept.trim()
        kept.share_arenas()


@pytest.mark.skipif(not has_glibc(), reason="another C library")
@pytest.mark.slow
def test_trimming_gives_memory_back():
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=60)
    assert int(run.stdout) > 60 * 2**20, "of the 125 MB that were freed"


@pytest.mark.slow
def test_the_server_trims_when_it_has_loaded_and_ever_again(monkeypatch):
    trims = []
    monkeypatch.setattr(server, "trim", lambda: trims.append(len(trims)))
    monkeypatch.setattr(server, "SWEEP_SECONDS", 0.01)
    page = server.started(Captioner(make_checkpoint()), server_name="127.0.0.1", quiet=True)
    try:
        assert trims[0] == 0
        for _ in range(500):
            if len(trims) > 2:
                break
            time.sleep(0.02)
        assert len(trims) > 2
    finally:
        server.stop(page)

"""Read a checkpoint that holds pickled whole modules without running anything from it.

`torch.load` does the reading with ``weights_only=True``: it follows no name but those it knows as harmless and those
its caller lists. For each of these it finds a `StandIn`, which keeps what it is given and does nothing with it.
"""

from __future__ import annotations

import io
import pickletools
import re
import warnings
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from captioner.card import CheckpointError

ZIP_MAGIC = b"PK\x03\x04"  # torch 1.6 and later; before, a file was a row of pickles with the tensors behind them
PICKLES_BEFORE = 3  # in that row, before the one that counts: magic number, protocol, byte order
PUTS = ("BINPUT", "LONG_BINPUT")


class StandIn:
    """Takes the place of an object whose class the file names; holds its attributes and has no behaviour."""

    __slots__ = ("kept",)  # and so no attribute of the file's can hide a method

    kept: dict[Any, Any]

    def __setstate__(self, state: object) -> None:
        if type(state) is not dict:
            raise TypeError(f"the attributes of {type(self).__name__} are a {type(state).__name__}")
        self.kept = state

    def get(self, name: str) -> Any:
        """The attribute as it was stored, or None."""
        return getattr(self, "kept", {}).get(name)


def read_pickled(path: Path, classes: tuple[str, ...]) -> Any:
    """What ``torch.save`` stored, on the CPU, with a `StandIn` for every object of the ``classes``.

    Args:
        classes: full names of the classes the file may ask for; the stand-in's type has the short name.

    Raises:
        CheckpointError: if the file cannot be read, is damaged, or asks for anything else; nothing of it was run.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings(), torch.serialization.safe_globals(_inert(classes)):
            warnings.simplefilter("ignore")  # of old formats; what counts is raised
            source = file if _is_zip(file) else io.BytesIO(without_sources(file.read()))
            return torch.load(source, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{path}: expected a readable file, found {error}; please check the path") from None
    except Exception as error:  # the readers raise whatever a hostile file leads them to
        raise CheckpointError(f"{path}: {_reason(error)}") from None


def parts_of(module: StandIn) -> dict[str, StandIn]:
    """All parts of a pickled `torch.nn.Module` by their path in it, itself as ``""``.

    Raises:
        ValueError: if it is no tree of modules.
    """
    parts, seen, waiting = {}, set(), [("", module)]
    while waiting:
        path, part = waiting.pop()
        if id(part) in seen:  # a circle, or a tree that shares its branches, could keep us for ever
            raise ValueError(f"the part {path} in two places")
        seen.add(id(part))
        parts[path] = part
        for name, child in _entries(part, "_modules"):
            if not isinstance(child, StandIn):
                raise ValueError(f"no layer at {path}.{name}")
            waiting.append((f"{path}.{name}" if path else str(name), child))
    return parts


def tensors_of(part: StandIn) -> dict[str, Tensor]:
    """A module's own parameters and buffers as float32 (whole numbers as they are).

    Raises:
        ValueError: if one is no ordinary tensor of finite numbers.
    """
    entries = _entries(part, "_parameters") + _entries(part, "_buffers")
    return {str(name): plain_tensor(value, str(name)) for name, value in entries}


def _entries(part: StandIn, table: str) -> list[tuple[Any, Any]]:
    entries = part.get(table)
    if not isinstance(entries, dict):
        raise ValueError(f"a {type(part).__name__} without {table}")
    return [(name, value) for name, value in entries.items() if value is not None]


def plain_tensor(value: Any, name: str) -> Tensor:
    """A tensor of the file as float32 (whole numbers as they are).

    Raises:
        ValueError: if it is no ordinary tensor of finite numbers.
    """
    if type(value) not in (Tensor, nn.Parameter) or value.layout != torch.strided or value.device.type != "cpu":
        raise ValueError(f"no ordinary tensor as {name}")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise ValueError(f"a {name} larger than what is stored of it")
    tensor: Tensor = value.detach()
    if tensor.dtype == torch.int64:
        return tensor
    if not tensor.is_floating_point() or not tensor.float().isfinite().all():
        raise ValueError(f"values in {name} that are no finite numbers")
    return tensor.float().contiguous()


def _inert(classes: tuple[str, ...]) -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    stand_ins = [(type(name.rpartition(".")[2], (StandIn,), {"__slots__": ()}), name) for name in classes]
    return [*stand_ins, (_table, "collections.defaultdict")]


def _table(default: object = None) -> dict[Any, Any]:
    """For a ``defaultdict``: the default is never made."""
    del default
    return {}


def _is_zip(file: io.BufferedReader) -> bool:
    return file.peek(len(ZIP_MAGIC))[: len(ZIP_MAGIC)] == ZIP_MAGIC


def _reason(error: Exception) -> str:
    """The refusal in words; torch's own advice would be to trust the file."""
    forbidden = re.search(r"GLOBAL (\S+)", str(error))
    if forbidden:
        return (
            f"expected only the layers and numbers of such a model, found that it asks for {one_line(forbidden[1])}; "
            "nothing of it was run; use a checkpoint that the model's own training program wrote"
        )
    said = str(error).rpartition("WeightsUnpickler error: ")[2].partition("Check the documentation")[0]
    reason = one_line(said) or type(error).__name__
    return f"expected a whole checkpoint of torch.save, found something else ({reason}); download it again"


def one_line(text: object) -> str:
    """At most 200 characters of a message that may quote the file, without signs that move a terminal's cursor."""
    line = " ".join(str(text).split())[:200]
    return "".join(char if char.isprintable() else "�" for char in line)


def without_sources(content: bytes) -> bytes:
    """A file of torch before 1.6 with each layer class named plainly, not in a ``module`` record.

    Such a record holds the class and the source code of its file, for a comparison on loading.
    ``weights_only`` refuses it; the class alone says the same. The opcodes are listed, not executed.

    Raises:
        ValueError: if it is no row of pickles.
    """
    stream, view = io.BytesIO(content), memoryview(content)  # the file can be large: slices are not copied
    for _ in range(PICKLES_BEFORE):
        deque(pickletools.genops(stream), maxlen=0)
    opcodes = list(pickletools.genops(stream))
    parts, copied = [], 0
    for start, kept_start, kept_end, end in _module_records(opcodes):
        parts += [view[copied:start], view[kept_start:kept_end]]
        copied = end
    return b"".join([*parts, view[copied:]])


def _module_records(opcodes: list[tuple[pickletools.OpcodeInfo, Any, int | None]]) -> list[tuple[int, int, int, int]]:
    """Where each record begins, its class begins and ends, and the record ends, in bytes."""
    marks, memo, records, opened = [], {}, [], 0
    position = [place or 0 for _, _, place in opcodes]
    for index, (opcode, argument, _) in enumerate(opcodes):
        if opcode.name == "MARK":
            marks.append(index)
        elif opcode.name in PUTS:
            memo[argument] = opcodes[index - 1][1]
        elif pickletools.markobject in opcode.stack_before:
            opened = marks.pop()
        elif opcode.name == "BINPERSID" and "module" in (kind := opcodes[opened + 1][1], memo.get(kind)):
            name = next(place for place in range(opened, index) if opcodes[place][0].name == "GLOBAL")
            after = name + 2 if opcodes[name + 1][0].name in PUTS else name + 1
            records.append((position[opened], position[name], position[after], position[index] + 1))
    return records

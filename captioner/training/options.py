"""Options described once: a dataclass field carries its help and its range; the command line is made from them."""

from __future__ import annotations

import argparse
import operator
import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, field, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class OptionError(ValueError):
    """An option that makes no sense; the message names it and says what is allowed."""


def option(
    default: Any,
    help: str,  # the field's word for it
    *,
    parse: Callable[[str], Any] | None = None,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    name: str = "",
) -> Any:
    """A dataclass field that is an option of the command line too; ``name`` is that of the option if another."""
    described = {"help": help, "parse": parse, "least": least, "above": above, "most": most, "name": name}
    return field(default=default, metadata=described)


def check_options(options: Any) -> None:
    """For ``__post_init__``: refuse values out of range.

    Raises:
        OptionError: naming the first.
    """
    for each in fields(options):
        value, limits = getattr(options, each.name), each.metadata
        if not limits or isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        for said, limit, wrong in (
            ("at least", limits["least"], operator.lt),
            ("above", limits["above"], operator.le),
            ("at most", limits["most"], operator.gt),
        ):
            if limit is not None and wrong(value, limit):
                raise OptionError(f"--{option_name(each)} must be {said} {limit:g}, got {value:g}")


def option_name(each: Field[Any]) -> str:
    """How the command line and a recipe spell a field's name."""
    return str(each.metadata["name"] or each.name.replace("_", "-"))


def add_options(parser: argparse.ArgumentParser, kind: type) -> None:
    """Add every option of a dataclass, and of the dataclasses among its fields."""
    group = parser.add_argument_group((kind.__doc__ or kind.__name__).splitlines()[0].rstrip("."))
    nested = []
    for each, hint in _described(kind):
        if isinstance(hint, type) and is_dataclass(hint):
            nested.append(hint)
        elif each.metadata:
            group.add_argument(f"--{option_name(each)}", **_argument(each, hint))
    for inner in nested:
        add_options(parser, inner)


def read_options(kind: type[T], given: argparse.Namespace, **others: Any) -> T:
    """The dataclass that the parsed options describe; ``others`` are its fields that are no options."""
    values = dict(others)
    for each, hint in _described(kind):
        if isinstance(hint, type) and is_dataclass(hint) and each.name not in others:
            values[each.name] = read_options(hint, given)
        elif each.metadata:
            values[each.name] = getattr(given, option_name(each).replace("-", "_"))
    return kind(**values)


def option_table(kind: type) -> list[str]:
    """A row of Markdown for every option, as docs/training.md has them: name, default, help."""
    rows = []
    for each, hint in _described(kind):
        if isinstance(hint, type) and is_dataclass(hint):
            rows += option_table(hint)
        elif each.metadata:
            rows.append(f"| `--{option_name(each)}` | {_shown(each.default)} | {each.metadata['help']} |")
    return rows


def _described(kind: type) -> Iterator[tuple[Field[Any], Any]]:
    hints = get_type_hints(kind)
    for each in fields(kind):
        yield each, hints[each.name]


def _argument(each: Field[Any], hint: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"help": each.metadata["help"].replace("%", "%%")}
    if hint is bool:
        return {**described, "action": "store_true"}
    if each.default is MISSING:
        described["required"] = True
    else:
        described["default"] = each.default
        described["help"] += "" if each.default in (None, "", ()) else f" (default: {_shown(each.default)})"
    plain = _plain(hint)
    if get_origin(plain) is Literal:
        return {**described, "choices": get_args(plain)}
    return {**described, "type": each.metadata["parse"] or (_names if get_origin(plain) is tuple else plain)}


def _plain(hint: Any) -> Any:
    """``X`` of ``X | None``."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(each for each in get_args(hint) if each is not type(None))
    return hint


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _shown(value: Any) -> str:
    if value in (None, "", ()) or value is MISSING:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def pairs(text: str) -> dict[str, str]:
    """``a=x,b=y`` → the part after "=" for each name.

    Raises:
        argparse.ArgumentTypeError: if that is not its form.
    """
    parts = [pair.partition("=") for pair in text.split(",")]
    if any(not name or not said for name, _, said in parts):
        raise argparse.ArgumentTypeError(f"expected NAME=…,NAME=…, got {text!r}")
    return {name: said for name, _, said in parts}


def amounts(text: str) -> dict[str, float]:
    """``flickr8k=96,everyday=24`` → a number for each name.

    Raises:
        argparse.ArgumentTypeError: if that is not its form.
    """
    try:
        return {name: float(number) for name, number in pairs(text).items()}
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected NAME=NUMBER,NAME=NUMBER, got {text!r}") from None

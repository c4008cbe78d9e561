"""Joins ES modules into one classic script, for places that run a script's text: a component's body, an offline page.

The files stay modules that a browser, Node and a linter read as they are; only these forms are used in them::

    import { name, other as alias } from '../model/file.js';
    export function name(…) { … }        (or async function, class)
    export const name = …;

Each begins at the start of a line, as no line of a comment or a text may. Every module runs once, in a function of
its own, so that what it does not export cannot clash with anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

NAME = r"[A-Za-z_$][\w$]*"
IMPORT = re.compile(r"import\s*\{([^{}]*)\}\s*from\s*'(\.\.?/[^'\n]+)';[^\S\n]*(?=\n|\Z)")
EXPORT = re.compile(rf"export\s+((?:async\s+)?function\s+|class\s+|const\s+)({NAME})(?=\s*[\s(={{])")
BINDING = re.compile(rf"({NAME})(?:\s+as\s+({NAME}))?")
STATEMENT = re.compile(r"^(?:import|export)\b(?!\s*[=:,.\])])", re.MULTILINE)
ELSEWHERE = re.compile(r"\bimport\s*(?:\(|\.\s*meta\b)")


class JoinError(ValueError):
    """Modules that cannot be joined; says the file, and its line where it has one."""


class Import(NamedTuple):
    """One import statement: the file, the names as (exported there, called here), its line."""

    path: Path
    names: tuple[tuple[str, str], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Module:
    """A file: what it imports, what it exports, and its text with both keywords taken out, line for line."""

    path: Path
    imports: tuple[Import, ...]
    exports: tuple[str, ...]
    body: str


def join_modules(entry: Path, start: str) -> str:
    """One script of a module and all that it imports, directly or not.

    It ends by calling ``start``, a function that the entry exports, with an object of ``element``, ``props``,
    ``watch`` and ``trigger``, which must be names where the script runs.

    Raises:
        JoinError: a file or an export is missing, imports go in a circle, or a form is not one of the module's above.
    """
    modules = in_order(entry)
    if start not in modules[-1].exports:
        raise JoinError(f"{entry}: exports no {start}")
    names = {module.path: f"$module{number}" for number, module in enumerate(modules)}
    scopes = "\n".join(_scope(module, names) for module in modules)
    return f"{scopes}\n{names[modules[-1].path]}.{start}({{ element, props, watch, trigger }});\n"


def in_order(entry: Path) -> list[Module]:
    """The entry and what it imports, each once and after all that it imports itself; the entry comes last.

    Raises:
        JoinError: see `join_modules`.
    """
    done: dict[Path, Module] = {}

    if not entry.is_file():
        raise JoinError(f"there is no file {entry}")

    def visit(path: Path, above: tuple[Path, ...]) -> None:
        if path in above:
            circle = [*above[above.index(path) :], path]
            raise JoinError("imports go in a circle: " + " → ".join(each.name for each in circle))
        if path in done:
            return
        module = read_module(path)
        for each in module.imports:
            place = f"{path}:{each.line}"
            if not each.path.is_file():
                raise JoinError(f"{place}: there is no file {each.path}")
            visit(each.path, (*above, path))
            for name, _ in each.names:
                if name not in done[each.path].exports:
                    raise JoinError(f"{place}: {each.path.name} exports no {name}")
        done[path] = module

    visit(entry.resolve(), ())
    return list(done.values())


def read_module(path: Path) -> Module:
    """A module's imports, exports and text.

    Raises:
        JoinError: it has a form that is not one of the module's above, or exports a name twice.
    """
    text = path.read_text(encoding="utf-8")
    imports: list[Import] = []
    exports: list[str] = []
    pieces, at = [], 0
    for found in STATEMENT.finditer(text):
        start, line = found.start(), text.count("\n", 0, found.start()) + 1
        if imported := IMPORT.match(text, start):
            imports.append(Import((path.parent / imported[2]).resolve(), _names(imported[1], path, line), line))
            pieces += [text[at:start], "\n" * imported[0].count("\n")]
            at = imported.end()
        elif exported := EXPORT.match(text, start):
            exports.append(exported[2])
            pieces.append(text[at:start])
            at = exported.start(1)
        else:
            raise JoinError(f"{path}:{line}: not joined: {text[start:].splitlines()[0]}")
    body = "".join(pieces) + text[at:]
    if other := ELSEWHERE.search(body):
        raise JoinError(f"{path}:{body.count(chr(10), 0, other.start()) + 1}: not joined: {other[0]}")
    if twice := {name for name in exports if exports.count(name) > 1}:
        raise JoinError(f"{path}: exports twice: {', '.join(sorted(twice))}")
    return Module(path, tuple(imports), tuple(exports), body)


def _names(listed: str, path: Path, line: int) -> tuple[tuple[str, str], ...]:
    """What stands in the braces of an import; a comma may end it."""
    bindings = [each.strip() for each in listed.split(",")]
    if bindings and not bindings[-1]:
        bindings.pop()
    found = [BINDING.fullmatch(each) for each in bindings]
    if not bindings or None in found:
        raise JoinError(f"{path}:{line}: not joined: import {{{listed}}}")
    return tuple((each[1], each[2] or each[1]) for each in found if each)


def _scope(module: Module, names: dict[Path, str]) -> str:
    """A module as a function that runs at once and gives back what it exports."""
    lines = [f"const {names[module.path]} = (() => {{ // {module.path.name}", "'use strict';"]
    for each in module.imports:
        bound = ", ".join(name if name == here else f"{name}: {here}" for name, here in each.names)
        lines.append(f"const {{ {bound} }} = {names[each.path]};")
    return "\n".join([*lines, module.body, f"return {{ {', '.join(module.exports)} }};", "})();"])

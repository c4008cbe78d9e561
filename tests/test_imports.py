"""The rooms: imports run one way. Read from the syntax trees, so that a hidden import counts too."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*ROOT.glob("captioner/**/*.py"), *ROOT.glob("demo/**/*.py"), *ROOT.glob("app.py")])

FORBIDDEN = {  # whoever is in the room → what it must not import, from anywhere in the file
    "captioner": ("demo", "gradio", "app"),
    "demo": ("torch", "torchvision", "app"),
    "captioner.caption": ("torch", "torchvision", "PIL", "captioner."),
    "captioner.vocabulary": ("torch", "torchvision", "numpy", "captioner."),
    "captioner.settings": ("torch", "captioner."),
    "captioner.photo": ("captioner.",),
    "captioner.encoder": ("captioner.",),
    "captioner.attention": ("captioner.",),
    "captioner.quantization": ("captioner.",),
    "captioner.decoder": ("captioner.search", "captioner.hypotheses", "captioner.strategies", "captioner.pipeline"),
    "captioner.recurrence": ("captioner.search", "captioner.hypotheses", "captioner.strategies", "captioner.pipeline"),
    "captioner.folded_encoder": ("captioner.training", "captioner.search", "captioner.pipeline"),
    "captioner.folded_decoder": ("captioner.training", "captioner.search", "captioner.pipeline"),
    "captioner.search": ("captioner.training", "captioner.checkpoint", "captioner.photo", "captioner.pipeline"),
    "captioner.checkpoint": ("captioner.training", "captioner.search", "captioner.photo", "captioner.pipeline"),
    "captioner.unpickling": ("captioner.checkpoint", "captioner.decoder", "captioner.encoder", "captioner.tutorial"),
    "captioner.tutorial": ("captioner.training", "captioner.search", "captioner.pipeline"),
    "captioner.sentences": ("torch", "captioner.search", "captioner.pipeline"),
    "captioner.override": ("captioner.decoder", "captioner.search", "captioner.pipeline"),
    "captioner.equations": ("captioner.training", "captioner.search", "captioner.photo", "captioner.pipeline"),
    "captioner.whatif": ("captioner.training", "captioner.search", "captioner.pipeline"),
    "captioner.pipeline": ("captioner.training", "captioner.render"),
    "captioner.render": ("captioner.training", "captioner.pipeline", "captioner.search", "torch"),
}
NUMPY_ONLY = {"captioner.hypotheses", "captioner.strategies"}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source, name, is_package=False):
    """Every module that ``source`` imports, wherever in the file, relative ones resolved."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name.split(".") if is_package else name.split(".")[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def inside(module, room):
    """Whether ``module`` is ``room`` or below it; a room with a dot at its end is all that is below."""
    return module.startswith(room) if room.endswith(".") else module == room or module.startswith(f"{room}.")


def violations(source, name, is_package=False):
    forbidden = [each for room, rooms in FORBIDDEN.items() if inside(name, room) for each in rooms]
    found = set(imports(source, name, is_package))
    return sorted(module for module in found if any(inside(module, room) for room in forbidden))


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_run_one_way(path):
    assert violations(path.read_text(encoding="utf-8"), module_name(path), path.name == "__init__.py") == []


@pytest.mark.parametrize("name", sorted(NUMPY_ONLY))
def test_the_search_rules_need_no_torch(name):
    source = (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert not [module for module in imports(source, name) if inside(module, "torch")]


@pytest.mark.parametrize(
    ("source", "name", "found"),
    [
        ("def f():\n    import gradio.blocks", "captioner.photo", ["gradio.blocks"]),
        ("from torch import nn", "demo.ui", ["torch", "torch.nn"]),
        ("from . import search", "captioner.decoder", ["captioner.search"]),
        ("from .pipeline import Captioner", "captioner.render.figure", []),
        (
            "from ..pipeline import Captioner",
            "captioner.render.figure",
            ["captioner.pipeline", "captioner.pipeline.Captioner"],
        ),
        ("import torchvision_extra", "demo.ui", []),
        ("import numpy", "captioner.caption", []),
    ],
)
def test_the_rule_sees_what_it_should(source, name, found):
    assert violations(source, name) == found


def test_every_room_of_the_rules_exists():
    names = {module_name(path) for path in SOURCES}
    assert {room for room in FORBIDDEN if room.startswith("captioner")} <= names
    assert names >= NUMPY_ONLY

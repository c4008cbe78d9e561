"""The rooms: imports run one way. Read from the syntax trees, so that a hidden import counts too."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*ROOT.glob("captioner/**/*.py"), *ROOT.glob("demo/**/*.py"), *ROOT.glob("app.py")])

WINGS = ("page", "protocol", "runs", "server", "gradio_inside")
SERVER = ("demo.server", "demo.gradio_inside")

ABOVE_SETTINGS = ("caption", "card", "photo", "decoder", "search", "pipeline", "training")

FORBIDDEN = {  # whoever is in the room → what it must not import, from anywhere in the file
    "captioner": ("demo", "gradio", "app"),
    "demo": ("torch", "torchvision", "app"),
    # server → page → protocol → runs → captioner; the door stands before the page, all may read the texts.
    "demo.texts": ("captioner", "gradio", "numpy", "demo.door", *(f"demo.{wing}" for wing in WINGS)),
    "demo.runs": ("gradio", "starlette", "demo.protocol", "demo.page", "demo.door", *SERVER),
    "demo.protocol": ("gradio", "starlette", "demo.page", "demo.door", *SERVER),
    "demo.door": ("captioner", "demo.runs", "demo.protocol", "demo.page", "demo.server"),
    "demo.page": ("demo.server",),
    "demo.gradio_inside": ("captioner", "demo."),
    "captioner.caption": ("torch", "torchvision", "PIL", "captioner."),
    "captioner.vocabulary": ("torch", "torchvision", "numpy", *(f"captioner.{each}" for each in ABOVE_SETTINGS)),
    "captioner.settings": ("torch", "captioner."),
    "captioner.photo": ("captioner.encoder", "captioner.decoder", "captioner.checkpoint", "captioner.pipeline"),
    "captioner.photo_file": ("torch", "captioner."),
    "captioner.encoder": ("captioner.",),
    "captioner.attention": ("captioner.",),
    "captioner.quantization": ("captioner.",),
    "captioner.decoder": ("captioner.search", "captioner.hypotheses", "captioner.strategies", "captioner.pipeline"),
    "captioner.folded_decoder": ("captioner.training", "captioner.search", "captioner.pipeline"),
    "captioner.search": ("captioner.training", "captioner.checkpoint", "captioner.photo", "captioner.pipeline"),
    "captioner.checkpoint": ("captioner.training", "captioner.search", "captioner.photo", "captioner.pipeline"),
    "captioner.unpickling": ("captioner.checkpoint", "captioner.decoder", "captioner.encoder", "captioner.tutorial"),
    "captioner.tutorial": ("captioner.training", "captioner.search", "captioner.pipeline"),
    "captioner.override": ("captioner.decoder", "captioner.search", "captioner.pipeline"),
    "captioner.equations": ("captioner.training", "captioner.search", "captioner.photo", "captioner.pipeline"),
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


# Modules of Gradio's that its documentation of components names; of the others only `demo.gradio_inside` knows.
GRADIO_PUBLIC = ("gradio", "gradio.data_classes", "gradio.themes")


@pytest.mark.parametrize("path", sorted(ROOT.glob("demo/**/*.py")), ids=module_name)
def test_gradios_insides_are_known_in_one_room(path):
    source, name = path.read_text(encoding="utf-8"), module_name(path)
    used = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    inner = {each for each in used if each and inside(each, "gradio") and each not in GRADIO_PUBLIC}
    private = re.findall(r"\w\._(?!asdict|replace|fields)[a-z]\w*", re.sub(r"self\._\w+", "", source))
    if name == "demo.gradio_inside":
        assert inner
        assert private
    else:
        assert not inner
        assert not private


@pytest.mark.parametrize("name", sorted(NUMPY_ONLY))
def test_the_search_rules_need_no_torch(name):
    source = (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert not [module for module in imports(source, name) if inside(module, "torch")]


@pytest.mark.parametrize(
    ("source", "name", "found"),
    [
        ("def f():\n    import gradio.blocks", "captioner.photo", ["gradio.blocks"]),
        ("from torch import nn", "demo.page.ui", ["torch", "torch.nn"]),
        ("from . import search", "captioner.decoder", ["captioner.search"]),
        ("from .pipeline import Captioner", "captioner.render.figure", []),
        (
            "from ..pipeline import Captioner",
            "captioner.render.figure",
            ["captioner.pipeline", "captioner.pipeline.Captioner"],
        ),
        ("import torchvision_extra", "demo.page.ui", []),
        ("import numpy", "captioner.caption", []),
    ],
)
def test_the_rule_sees_what_it_should(source, name, found):
    assert violations(source, name) == found


def test_every_room_of_the_rules_exists():
    names = {module_name(path) for path in SOURCES}
    assert FORBIDDEN.keys() <= names
    assert names >= NUMPY_ONLY

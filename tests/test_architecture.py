"""docs/architecture.md shows the rooms as they are, and its picture has no circle."""

import pytest
from import_graph import ROOT, WINGS, edges, picture

PAGE = ROOT / "docs" / "architecture.md"


def test_the_picture_is_the_one_that_the_imports_draw():
    shown = PAGE.read_text(encoding="utf-8").partition("```mermaid\n")[2].partition("\n```")[0]
    assert shown == picture(), "python tests/import_graph.py prints the picture as it is now"


@pytest.mark.slow
def test_no_wing_imports_one_that_imports_it():
    below = {name: {other for one, other in edges() if one == name} for name in WINGS}
    reached = {name: set(names) for name, names in below.items()}
    for _ in WINGS:
        reached = {name: names.union(*(below[each] for each in names)) for name, names in reached.items()}
    assert not [name for name, names in reached.items() if name in names]


def test_every_file_that_the_page_names_is_there():
    named = {word for line in PAGE.read_text(encoding="utf-8").splitlines() for word in line.split("`")[1::2]}
    paths = [name for name in named if "/" in name and " " not in name and "*" not in name]
    assert paths
    assert not [name for name in paths if not (ROOT / name).exists()]

"""The player as a component: what it is made of and what it sends."""

import re
from pathlib import Path

from PIL import Image

from demo.page.examples import INSIDE, OUTSIDE, examples, thumbnail
from demo.page.joiner import in_order
from demo.page.player import STATIC, AttentionPlayer, PlayerValue
from demo.protocol.payload import VERSION


def test_the_templates_hold_nothing_that_would_be_compiled():
    # Gradio compiles both as JavaScript template strings and as Handlebars templates.
    for path in (*STATIC.glob("*.html"), *STATIC.glob("*.css")):
        assert not re.search(r"\$\{|\{\{|`|\\", path.read_text(encoding="utf-8")), path.name


def test_no_script_writes_markup():
    for path in STATIC.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), path.name


def test_nothing_is_fetched_from_elsewhere():
    for path in filter(Path.is_file, STATIC.rglob("*")):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
        assert not re.search(r"https?://|@import|url\(", text), path.name


def test_every_module_is_part_of_the_page():
    entries = ("player.js", "components.js", "arrival.js", "view/page.js", "offline.js")
    joined = {module.path for entry in entries for module in in_order(STATIC / entry)}
    assert joined == set(STATIC.rglob("*.js"))


def test_the_model_knows_no_page():
    for path in (STATIC / "model").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(document|window|querySelector|addEventListener)\b", text), path.name
        assert all(module.path.parent == path.parent for module in in_order(path)), path.name


def test_a_payload_becomes_data_with_a_served_photo(tmp_path):
    path = tmp_path / "photo.jpg"
    data = AttentionPlayer(render=False).postprocess({"run": 3, "photo": str(path), "shown": [0]})
    assert isinstance(data, PlayerValue)
    (data,) = data.root
    assert (data.version, data.run, data.shown, data.photo.path) == (VERSION, 3, [0], str(path))
    assert AttentionPlayer(render=False).postprocess(None).root[0].phase == "empty"


def test_the_examples_are_installed_four_of_either_world():
    found = examples()
    assert [example.name for example in found] == [*INSIDE, *OUTSIDE]
    assert [example.world for example in found] == ["inside"] * 4 + ["outside"] * 4
    assert [example.size for example in found[:2]] == [(512, 512), (500, 500)]
    strings = (STATIC / "model" / "strings.js").read_text(encoding="utf-8")
    for example in found:  # its name is read by visitors: in both languages
        assert strings.count(f"{example.name}: '") == 2, example.name
    assert (found[1].path.parent / "LICENSE.txt").is_file()


def test_thumbnails_are_small_and_square():
    files = [thumbnail(example) for example in examples()]
    assert sum(file.stat().st_size for file in files) < 100_000
    for file in files:
        with Image.open(file) as image:
            assert image.size == (160, 160)
    assert files[0].read_bytes() == thumbnail(examples()[0]).read_bytes()


def test_the_program_is_joined_once():
    """Gradio makes a player anew for every update that leaves it as it is, and keeps it with the tab."""
    one, other = AttentionPlayer(), AttentionPlayer()
    assert one.js_on_load is other.js_on_load
    assert one.css_template is other.css_template

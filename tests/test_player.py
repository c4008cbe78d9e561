"""The player as a component: what it is made of and what it sends."""

import re

from demo.examples import FILES, examples
from demo.payload import VERSION
from demo.player import SCRIPTS, STATIC, AttentionPlayer, PlayerValue


def test_the_templates_hold_nothing_that_would_be_compiled():
    # Gradio compiles both as JavaScript template strings and as Handlebars templates.
    for path in (*STATIC.glob("*.html"), *STATIC.glob("*.css")):
        assert not re.search(r"\$\{|\{\{|`|\\", path.read_text(encoding="utf-8")), path.name


def test_no_script_writes_markup():
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), path.name


def test_nothing_is_fetched_from_elsewhere():
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
        assert not re.search(r"https?://|@import|url\(", text), path.name


def test_every_script_is_loaded_once():
    others = {"header.js", "examples.js", "takeaway.js", "feed.js"}
    player = {path.name for path in STATIC.glob("*.js")} - others
    assert sorted(SCRIPTS) == sorted(player)


def test_a_payload_becomes_data_with_a_served_photo(tmp_path):
    path = tmp_path / "photo.jpg"
    data = AttentionPlayer(render=False).postprocess({"run": 3, "photo": path, "shown": [0]})
    assert isinstance(data, PlayerValue)
    (data,) = data.root
    assert (data.version, data.run, data.shown, data.photo.path) == (VERSION, 3, [0], str(path))
    assert AttentionPlayer(render=False).postprocess(None).root[0].phase == "empty"


def test_the_examples_are_installed_with_scikit_image():
    assert [example.name for example in examples()] == list(FILES)
    assert examples()[0].size == [512, 512]

"""Gradio's insides that the page leans on: each of these fails when Gradio changes one."""

import asyncio
import importlib
import inspect
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio import component_meta, utils

from demo import gradio_inside
from demo.gradio_inside import (
    NoStub,
    WatchedBlocks,
    events_of,
    files_folder,
    is_served_file,
    name_of,
    sent_with,
    stop_serving,
)
from demo.page.inputs import AsSent, KnobNumber, KnobSlider, NumberArgument, PhotoInput, RowsArgument, TextArgument
from demo.page.player import AttentionPlayer

COMPONENT = '''
import gradio as gr
from demo.gradio_inside import NoStub


class Plain(gr.HTML{metaclass}):
    """A component."""

    def __init__(self, **options):
        super().__init__(**options)
'''


def defined(folder: Path, metaclass: str, monkeypatch):
    """A module with one component class, imported from its file; the files beside it."""
    path = folder / f"a_component_{len(metaclass)}.py"
    path.write_text(COMPONENT.format(metaclass=metaclass), encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module(path.stem).Plain, {each.name for each in folder.glob("*.pyi")}


def test_a_component_class_of_ours_leaves_no_stub_and_gradios_own_would(tmp_path, monkeypatch):
    ours, left = defined(tmp_path, ", metaclass=NoStub", monkeypatch)
    assert left == set()
    assert type(ours) is NoStub
    assert ours(value="x").value == "x"
    assert ours.EVENTS is gr.HTML.EVENTS
    _, left = defined(tmp_path, "", monkeypatch)
    assert left == {"a_component_0.pyi"}, "Gradio writes none any more: `NoStub` can go"


def test_a_component_can_be_made_again_for_a_tab():
    """From the arguments of its constructor, as Gradio does when an event changes it."""
    player = AttentionPlayer({"run": 3}, elem_id="player", render=False)
    again = player.__class__(**{**player.constructor_args, "render": False})
    assert again.elem_id == "player"
    assert again.html_template == player.html_template


def test_nothing_of_gradios_is_patched():
    assert component_meta.create_or_modify_pyi.__module__ == "gradio.component_meta"
    assert inspect.getsource(gradio_inside).count("component_meta") == 1
    assert list(Path(gradio_inside.__file__).parent.rglob("*.pyi")) == []


def test_components_are_drawn_as_gradios_own_and_hand_over_what_was_sent():
    drawn = {PhotoInput: "image", KnobSlider: "slider", KnobNumber: "number"}
    drawn |= {NumberArgument: "number", TextArgument: "textbox", RowsArgument: "json"}
    for kind, name in drawn.items():
        component = kind(render=False)
        assert component.get_block_name() == name
        assert isinstance(component, AsSent)
        if kind is not PhotoInput:
            odd = ["2", {"a": 1}]
            assert component.preprocess(odd) is odd


@pytest.fixture(scope="module")
def page():
    """Counts the steps of its one event, a stream of two."""

    class Counting(WatchedBlocks):
        steps: list = []  # noqa: RUF012

        @contextmanager
        def watched(self, event, inputs, request):
            self.steps.append((name_of(event), inputs, type(request)))
            yield

    def twice(value):
        yield value
        yield value + value

    with Counting() as page:
        gr.Button().click(twice, gr.Textbox(), gr.Textbox(), api_name="twice")
    page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield page
    page.close(verbose=False)


def test_every_step_of_every_event_is_watched(page):
    join = f"{page.local_url}gradio_api/queue/join"
    asked = {"data": ["a"], "fn_index": 0, "session_hash": "tab"}
    with httpx.Client(trust_env=False, timeout=60) as client:
        client.post(join, json=asked).raise_for_status()
        stream = client.get(f"{page.local_url}gradio_api/queue/data?session_hash=tab").text
    assert '"success":true' in stream
    name, inputs, request = page.steps[0]
    assert (name, inputs, request) == ("twice", ["a"], gr.Request)
    assert len(page.steps) >= 3, "two values and the end"
    assert all(inputs is None for _, inputs, _ in page.steps[1:]), "further steps have nothing to check"


def test_the_net_is_below_every_way_into_an_event(page):
    """Gradio's queue and routes all come by `process_api`, with the names that the net reads."""
    parameters = inspect.signature(gr.Blocks.process_api).parameters
    assert list(parameters)[:3] == ["self", "block_fn", "inputs"]
    assert {"request", "iterator"} <= parameters.keys()
    assert asyncio.iscoroutinefunction(gr.Blocks.process_api)


def test_the_events_of_a_web_application_are_known_by_number_and_name(page):
    events = events_of(page.app)
    assert [name_of(each) for each in events.values()] == ["twice"]
    assert events[0].inputs[0].get_block_name() == "textbox"
    assert name_of(events[0]) == events[0].api_name


def test_what_an_event_brought_is_there_in_whole():
    for sent in ({"kind": "word"}, None, ["a"]):
        assert sent_with(gr.EventData(None, sent)) is sent


def test_only_a_file_of_the_servers_own_folder_is_served(tmp_path):
    inside = files_folder() / "here.txt"
    inside.parent.mkdir(parents=True, exist_ok=True)
    inside.write_text("x", encoding="utf-8")
    outside = tmp_path / "there.txt"
    outside.write_text("x", encoding="utf-8")
    assert is_served_file(str(inside))
    for path in (str(outside), str(inside.parent), f"{inside.parent}/../there.txt", "a\0b", "x" * 10_000, None, 5):
        assert not is_served_file(path), path
    assert str(files_folder()) == gr.HTML(render=False).GRADIO_CACHE, "what a component serves lies there too"
    assert utils.get_upload_folder() == str(files_folder())


def test_a_server_that_is_stopped_ends_its_open_streams():
    with gr.Blocks() as page:
        gr.HTML("x")
    page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    address = page.local_url
    assert httpx.get(address, trust_env=False).status_code == 200
    assert page.server.config.timeout_graceful_shutdown != 1
    stop_serving(page, 1)
    assert page.server.config.timeout_graceful_shutdown == 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)

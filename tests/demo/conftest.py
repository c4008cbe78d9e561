"""A tiny model, and a page of it: to be asked by Gradio's own client, or byte by byte."""

import pytest
from serving import served
from tiny import make_checkpoint

from captioner.pipeline import Captioner
from demo.page.ui import build
from demo.server import launch_options


@pytest.fixture(scope="module")
def captioner():
    return Captioner(make_checkpoint())


@pytest.fixture(scope="module")
def client(captioner):
    gradio_client = pytest.importorskip("gradio_client")
    page = build(captioner)
    _, address, _ = page.launch(**launch_options(), prevent_thread_lock=True, quiet=True)
    yield gradio_client.Client(address, verbose=False)
    page.close(verbose=False)


@pytest.fixture(scope="module")
def page():
    with served() as page:
        yield page

"""Many visitors in small: six clients at once, and more than the queue holds."""

import threading
from pathlib import Path

import pytest
from tiny import make_checkpoint

from captioner.pipeline import Captioner
from captioner.search import SearchSettings

pytest.importorskip("gradio_client")

from benchmarks import load
from benchmarks.hosted import Hosted
from demo.server import started, stop

pytestmark = pytest.mark.slow

CLIENTS = 6


@pytest.fixture(scope="module")
def captioner():
    return Captioner(make_checkpoint())


@pytest.fixture(scope="module")
def page(captioner):
    page = started(captioner, server_name="127.0.0.1", quiet=True)
    yield page
    stop(page)


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> list[load.Work]:
    return load.make_work(CLIENTS, Path(tmp_path_factory.mktemp("photos")))


@pytest.fixture(scope="module")
def clients(page):
    return load.connect(Hosted(page.local_url), CLIENTS)


def test_everybody_gets_an_answer_and_nobody_anothers(captioner, clients, work, capsys):
    measured = load.one_round(clients, work)
    assert [answer.error for answer in (*measured.first, *measured.second)] == [""] * 2 * CLIENTS
    for asked, answer in zip(work, measured.second, strict=True):
        expected = captioner.caption(str(asked.photo), SearchSettings(*asked[1:]))
        assert answer.content["caption"] == expected.text
        assert answer.content["log_prob"] == pytest.approx(expected.log_prob, rel=1e-3)
    assert len({answer.key for answer in measured.first}) == CLIENTS
    assert measured.mixed_up == measured.failures == 0
    assert measured._replace(second=[*measured.second[1:], measured.second[0]]).mixed_up == CLIENTS
    load.report([measured], [], [])
    assert "| failures | 0 |" in capsys.readouterr().out


def test_whoever_comes_to_a_full_queue_is_refused_politely(page, captioner, clients, work, monkeypatch):
    """Two at work, three in the queue: the sixth and all after it are refused, the others get their answers."""
    monkeypatch.setattr(page._queue, "max_size", 3)
    look, refused, enough = captioner.look, [], threading.Event()

    def patient(photo):
        assert enough.wait(120)
        return look(photo)

    ask = load.ask

    def counted(*arguments):
        answer = ask(*arguments)
        if answer.error:
            refused.append(answer)
            if len(refused) == 4:
                enough.set()
        return answer

    monkeypatch.setattr(captioner, "look", patient)
    monkeypatch.setattr(load, "ask", counted)
    answered, refusals = load.crowd(clients, work, 9)
    assert {answer.error for answer in refusals} == {"Queue is full! Please try again."}
    assert (len(answered), len(refusals)) == (5, 4)
    assert [answer.error for answer in answered] == [""] * 5

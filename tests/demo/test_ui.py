"""The page's wiring and its named endpoints, through Gradio's own client."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captioner.search import SearchSettings

gradio_client = pytest.importorskip("gradio_client")


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.arange(48 * 32 * 3, dtype=np.uint8).reshape(32, 48, 3)).save(path)
    return path


def test_caption_streams_and_agrees_with_the_captioner(client, captioner, photo):
    job = client.submit(gradio_client.handle_file(photo), 2, 0, 0, api_name="/caption")
    last = job.result(timeout=120)
    expected = captioner.caption(str(photo), SearchSettings(2))
    assert last["caption"] == expected.text
    assert last["log_prob"] == pytest.approx(expected.log_prob, rel=1e-3)
    assert len(job.outputs()) > 1
    assert [answer["done"] for answer in job.outputs()] == [False] * (len(job.outputs()) - 1) + [True]


def test_score_weighs_a_sentence(client, captioner, photo):
    answer = client.predict(gradio_client.handle_file(photo), "A dog runs!", api_name="/score")
    expected = captioner.score(captioner.look(str(photo)), "a dog runs")
    assert [word["word"] for word in answer["words"]] == ["a", "dog", "runs", "<end>"]
    assert answer["log_prob"] == pytest.approx(expected.log_prob, rel=1e-3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "not an image"), (b"some text", "not an image"), (b"\x89PNG\r\n\x1a\n", "image")],
)
def test_bad_photos_are_refused_in_one_sentence(client, tmp_path, content, sentence):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(gradio_client.exceptions.AppError, match=sentence):
        client.predict(gradio_client.handle_file(path), 1, 0, 0, api_name="/caption")


def test_settings_out_of_range_are_refused(client, photo):
    with pytest.raises(gradio_client.exceptions.AppError, match="beam_size must be"):
        client.predict(gradio_client.handle_file(photo), 0, 0, 0, api_name="/caption")


def test_a_file_nobody_uploaded_is_not_read(client):
    secret = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(gradio_client.exceptions.AppError):
        client.predict(secret, 1, 0, 0, api_name="/caption")

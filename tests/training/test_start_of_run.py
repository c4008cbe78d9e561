"""Where a run begins."""

from urllib.error import URLError

import pytest

from captioner.training import start
from captioner.training.options import OptionError


def test_a_download_that_fails_is_one_sentence(monkeypatch):
    def failing(name: str) -> None:
        raise URLError("no network")

    monkeypatch.setattr(start, "torchvision_trunk", failing)
    with pytest.raises(
        OptionError, match=r"IMAGENET1K_V2: .*could not be downloaded .*no network.*connect to the network once"
    ) as error:
        start._encoder("IMAGENET1K_V2", 3)
    assert "\n" not in str(error.value)

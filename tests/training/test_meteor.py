import shutil
import stat
import time

import pytest

from captioner.training.measures import scores as module
from captioner.training.measures.scores import MeteorError, meteor

REFERENCES = [[("a", "dog", "runs", "on", "grass"), ("the", "dog", "is", "running")], [("two", "men", "sit")]]
CAPTIONS = [("a", "dog", "runs"), ("two", "men", "walk")]
PYCOCOEVALCAP = 31.63878638590597  # 100 times what its own Meteor().compute_score gives for these
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="needs Java")


@pytest.mark.slow
@needs_java
def test_it_is_pycocoevalcaps_even_in_a_path_with_a_space(tmp_path, monkeypatch):
    spaced = tmp_path / "a folder with spaces"
    shutil.copytree(module._package(), spaced, copy_function=shutil.copy)
    monkeypatch.setattr(module, "_package", lambda: spaced)
    assert meteor(CAPTIONS, REFERENCES) == pytest.approx(PYCOCOEVALCAP)


def java(tmp_path, monkeypatch, script):
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(module.shutil, "which", lambda name: str(program))


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense; cat > /dev/null", "while read line; do echo words; done"])
def test_a_java_that_fails_is_one_sentence(tmp_path, monkeypatch, script):
    java(tmp_path, monkeypatch, script)
    with pytest.raises(MeteorError, match="Java program failed"):
        meteor(CAPTIONS, REFERENCES, seconds=1)


def test_a_java_that_never_answers_is_given_up(tmp_path, monkeypatch):
    java(tmp_path, monkeypatch, "exec sleep 60")
    begun = time.monotonic()
    with pytest.raises(MeteorError, match=r"no answer in 0\.2 s"):
        meteor(CAPTIONS, REFERENCES, seconds=0.2)
    assert time.monotonic() - begun < 20


def test_without_java_it_says_so(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(MeteorError, match="needs Java"):
        meteor(CAPTIONS, REFERENCES)


def test_another_language_is_left_out():
    with pytest.raises(MeteorError, match="this language"):
        meteor([("개가", "달린다")], [[("개가", "풀밭을", "달린다")]])

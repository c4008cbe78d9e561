"""Which form of the encoder runs where; what a person can ask for; and that nothing is lost without the runtime."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from random_encoder import deviation, random_encoder, random_photos
from safetensors.torch import load_file, save_file
from tiny import make_checkpoint

from captioner import encoder_form
from captioner.__main__ import main
from captioner.checkpoint import RANGES, CheckpointError, load_checkpoint, save_checkpoint
from captioner.compiled_encoder import activation_ranges
from captioner.encoder import EncoderConfig
from captioner.encoder_form import EncoderInForm, FormError, device_named, fastest_form
from captioner.pipeline import Captioner

ROOT = Path(__file__).resolve().parent.parent
CPU = torch.device("cpu")
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SOME = {"conv1": (-1.0, 1.0)}


@pytest.fixture
def without_runtime(monkeypatch):
    monkeypatch.setattr(encoder_form, "runtime_is_installed", lambda: False)


@pytest.fixture(scope="module")
def checkpoint():
    checkpoint = make_checkpoint("int8")
    photos = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return checkpoint._replace(ranges=activation_ranges(checkpoint.encoder, [photos]))


@pytest.mark.parametrize(
    ("able", "installed", "ranges", "expected"),
    [
        ({"avx512_vnni": True}, True, SOME, "int8"),
        ({"avx_vnni": True}, True, SOME, "int8"),
        ({"amx_int8": True, "amx_bf16": True}, True, SOME, "int8"),
        ({"amx_int8": True, "amx_bf16": True}, True, None, "bfloat16"),
        ({"amx_int8": True, "amx_bf16": True}, False, SOME, "bfloat16"),
        ({"avx512_vnni": True}, False, SOME, "float32"),
        ({"avx512_vnni": True}, True, None, "float32"),
        ({"avx512_bf16": True}, True, SOME, "bfloat16"),
        ({"avx2": True}, True, SOME, "float32"),
        ({"architecture": "arm64", "neon": True}, False, SOME, "float32"),
        ({}, True, SOME, "float32"),
    ],
)
def test_the_fastest_form_is_what_the_processor_can_do(monkeypatch, able, installed, ranges, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    monkeypatch.setattr(encoder_form, "runtime_is_installed", lambda: installed)
    assert fastest_form(EncoderConfig(), CPU, ranges) == expected
    assert fastest_form(EncoderConfig(dilated=False), CPU, ranges) == "exact", "its decoder learned from exact ones"


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("form", ["exact", "float32", "bfloat16", "int8"])
@pytest.mark.slow
def test_all_forms_are_near_each_other(form, device):
    if form == "int8" and device != "cpu":
        pytest.skip("int8 runs on a processor")
    encoder = random_encoder()
    ranges = activation_ranges(encoder, random_photos(12, seed=2).split(4))
    with torch.no_grad():
        exact = encoder(random_photos())
        in_form = EncoderInForm(encoder, torch.device(device), ranges, form)
        found = deviation(in_form(random_photos().to(device)).cpu(), exact)
    assert found < {"exact": 1e-5, "float32": 1e-5, "bfloat16": 0.05, "int8": 0.1}[form]
    assert in_form.form == form
    assert in_form.engine.startswith("PyTorch " if form == "exact" or device != "cpu" else "OpenVINO ")


@pytest.mark.skipif(len(DEVICES) == 1, reason="there is no GPU here")
def test_a_gpu_writes_what_the_processor_writes(checkpoint):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    own, other = (Captioner(checkpoint, device, "exact").caption(pixels) for device in DEVICES)
    assert other.words == own.words
    np.testing.assert_allclose(other.log_probs, own.log_probs, atol=1e-4)
    np.testing.assert_allclose(other.alphas, own.alphas, atol=1e-5)
    assert Captioner(checkpoint, "cuda").encoder.form == "bfloat16"


def test_without_the_runtime_not_a_word_is_missing(without_runtime, checkpoint):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    exact = Captioner(checkpoint, form="exact").caption(pixels)
    fallback = Captioner(checkpoint, form="float32")
    assert fallback.encoder.engine.startswith("PyTorch ")
    assert fallback.caption(pixels).words == exact.words
    assert Captioner(checkpoint).encoder.form in ("bfloat16", "float32")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("form", [None, "exact", "float32", "bfloat16", "int8"])
@pytest.mark.slow
def test_two_starts_write_the_same(checkpoint, form, device):
    if form == "int8" and device != "cpu":
        pytest.skip("int8 runs on a processor")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    one, other = (Captioner(checkpoint, device, form).caption(pixels) for _ in range(2))
    assert one.words == other.words
    assert np.array_equal(one.log_probs, other.log_probs)
    assert np.array_equal(one.alphas, other.alphas)


def test_what_cannot_be_had_is_a_sentence(without_runtime, checkpoint):
    with pytest.raises(FormError, match="pip install openvino"):
        Captioner(checkpoint, form="int8")
    with pytest.raises(FormError, match="no device 'abacus' here"):
        device_named("abacus")


def test_int8_needs_ranges_and_a_processor(checkpoint):
    with pytest.raises(FormError, match="captioner quantize"):
        Captioner(checkpoint._replace(ranges=None), form="int8")
    with pytest.raises(FormError, match="runs on a processor"):
        EncoderInForm(checkpoint.encoder, torch.device("meta"), checkpoint.ranges, "int8")


def test_ranges_travel_with_the_checkpoint(checkpoint, tmp_path):
    save_checkpoint(tmp_path, checkpoint)
    loaded = load_checkpoint(tmp_path).ranges
    assert loaded is not None
    assert {name: pytest.approx(ends) for name, ends in checkpoint.ranges.items()} == loaded


def test_a_changed_byte_of_the_ranges_is_refused(checkpoint, tmp_path):
    save_checkpoint(tmp_path, checkpoint)
    content = bytearray((tmp_path / RANGES).read_bytes())
    content[-1] ^= 1
    (tmp_path / RANGES).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"ranges\.safetensors: expected SHA-256"):
        load_checkpoint(tmp_path)


def test_ranges_of_another_encoder_are_refused(checkpoint, tmp_path):
    save_checkpoint(tmp_path, checkpoint)
    ranges = load_file(tmp_path / RANGES)
    ranges.pop("conv1")
    save_file(ranges, tmp_path / RANGES)
    card = (tmp_path / "card.json").read_text()
    hashes = json.loads(card)["sha256"]
    changed = hashlib.sha256((tmp_path / RANGES).read_bytes()).hexdigest()
    (tmp_path / "card.json").write_text(card.replace(hashes[RANGES], changed))
    with pytest.raises(CheckpointError, match="differ in conv1"):
        load_checkpoint(tmp_path)


def test_the_command_measures_ranges_and_changes_nothing_else(tmp_path, capsys):
    before = save_checkpoint(tmp_path / "model", make_checkpoint("int8")).sha256
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(random.integers(0, 256, (70, 90, 3), np.uint8)).save(tmp_path / "photos" / f"{number}.png")
    assert main(["quantize", str(tmp_path / "model"), str(tmp_path / "photos")]) == 0
    assert "measured on 3 photos" in capsys.readouterr().out
    after = load_checkpoint(tmp_path / "model")
    assert {name: after.card.sha256[name] for name in before} == before
    assert Captioner(after, form="int8").caption(tmp_path / "photos" / "0.png").words


def test_the_command_line_takes_a_form(checkpoint, tmp_path, capsys):
    save_checkpoint(tmp_path / "model", checkpoint)
    Image.new("RGB", (70, 90), (200, 30, 30)).save(tmp_path / "red.png")
    written = {}
    for form in ("--exact", "--form=exact", "--form=float32", "--form=int8"):
        assert main(["caption", str(tmp_path / "red.png"), "--checkpoint", str(tmp_path / "model"), form]) == 0
        written[form] = capsys.readouterr().out
    assert written["--exact"] == written["--form=exact"]
    assert main(["caption", str(tmp_path / "red.png"), "--device", "abacus"]) == 1
    assert "no device 'abacus'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_runtime_that_cannot_be_imported_is_none(checkpoint, tmp_path):
    """Half an installation: the package is found, and a library of its own is missing."""
    save_checkpoint(tmp_path / "model", checkpoint)
    Image.new("RGB", (70, 90), (200, 30, 30)).save(tmp_path / "red.png")
    (tmp_path / "openvino").mkdir()
    (tmp_path / "openvino" / "__init__.py").write_text("raise ImportError('libopenvino.so: no such file')")

    def caption(*options):
        command = [sys.executable, "-m", "captioner", "caption", tmp_path / "red.png"]
        command += ["--checkpoint", tmp_path / "model", *options]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120, check=False
        )

    fastest, int8 = caption(), caption("--form", "int8")
    words = [run.stdout.partition("(log-")[0] for run in (caption("--form", "float32"), caption("--exact"))]
    assert (fastest.returncode, words[0]) == (0, words[1]), fastest.stderr
    assert words[0].strip()
    refused = "The form int8 needs OpenVINO; please run: pip install openvino"
    assert (int8.returncode, int8.stderr.strip()) == (1, refused)


def test_a_photo_that_cannot_be_read_is_not_counted(tmp_path, capsys):
    save_checkpoint(tmp_path / "model", make_checkpoint("int8"))
    Image.new("RGB", (70, 90), (200, 30, 30)).save(tmp_path / "red.png")
    (tmp_path / "none.png").write_bytes(b"no photo")
    assert main(["quantize", str(tmp_path / "model"), str(tmp_path / "red.png"), str(tmp_path / "none.png")]) == 1
    said = capsys.readouterr()
    assert "measured on 1 photos" in said.out
    assert "none.png" in said.err
    with pytest.raises(SystemExit):
        main(["quantize", str(tmp_path / "model"), str(tmp_path / "red.png"), "--limit", "-1"])
    assert "at least 1" in capsys.readouterr().err

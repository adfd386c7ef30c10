"""What is read of SpeechBrain's settings, and what of them is refused; nothing of them is run."""

from pathlib import Path

import pytest

from models.speech.hifigan import HifiGanConfig
from models.speech.speechbrain_hyperparams import read_hifigan_config, read_hyperparams, read_tacotron2_config
from models.speech.tacotron2 import Tacotron2Config
from tests.models.speech.speechbrain_files import (
    ACOUSTIC,
    ACOUSTIC_REPO,
    PAPER_ACOUSTIC,
    PAPER_VOCODER,
    VOCODER,
    VOCODER_REPO,
    hyperparams_yaml,
    loaded,
    refusal,
)


def test_no_tag_of_the_settings_is_run(files: dict[str, bytes], tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    evil = (
        f"evil: !apply:os.system ['touch {trace}']\n"
        f"worse: !new:os.system\n  command: touch {trace}\n"
        f"worst: !!python/object/apply:os.system ['touch {trace}']\n"
        f"copy: !!python/name:os.system\n"
        f"n_other: !include:{trace}\n"
    )
    for name in (f"{ACOUSTIC_REPO}/hyperparams.yaml", f"{VOCODER_REPO}/hyperparams.yaml"):
        files[name] = evil.encode() + files[name]
    synthesizer = loaded(files, tmp_path)
    assert not trace.exists()
    assert synthesizer.model.config.decoder_rnn_dim == 20


BOMB = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 30)
)
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 8)}]}}\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"- 1\n- 2\n",
        b"text",
        b"a: [1",
        b"a: \xff\xfe\x00",
        b"? {a: 1}\n: 2\n",
        b"a: !!timestamp x",
        b"a: !!int x",
        b"a: !!bool maybe",
        b"a: 2001-13-45",
        b"[" * 600,
        b"# long\n" * 20_000,
        f"{BOMB}n_symbols: *a29\n".encode(),
        MERGE_BOMB.encode() + b"n_symbols: 147\n",
    ],
)
def test_settings_that_make_no_sense(files: dict[str, bytes], tmp_path: Path, content: bytes) -> None:
    assert "hyperparams.yaml" in refusal({**files, f"{ACOUSTIC_REPO}/hyperparams.yaml": content}, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("n_symbols", 149),
        ("n_symbols", "148"),
        ("n_mel_channels", 0),
        ("n_mel_channels", True),
        ("n_mel_channels", 8.0),
        ("encoder_embedding_dim", 10**12),
        ("encoder_embedding_dim", 15),
        ("encoder_n_convolutions", 100_000),
        ("encoder_kernel_size", 4),
        ("attention_location_kernel_size", -3),
        ("n_frames_per_step", 2),
        ("gate_threshold", "high"),
        ("gate_threshold", 1.5),
        ("sample_rate", 1),
    ],
)
def test_sizes_of_the_acoustic_model_that_make_no_sense(
    files: dict[str, bytes], tmp_path: Path, key: str, value: object
) -> None:
    text = hyperparams_yaml({**ACOUSTIC, key: value}, "model", "Tacotron2.Tacotron2")
    assert key in refusal({**files, f"{ACOUSTIC_REPO}/hyperparams.yaml": text.encode()}, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("in_channels", 80),
        ("resblock_type", "2"),
        ("resblock_type", [[[1]]]),
        ("resblock_dilation_sizes", [[1, 3, 5]]),
        ("resblock_dilation_sizes", [1, 3]),
        ("resblock_dilation_sizes", 3),
        ("resblock_kernel_sizes", [3, 8]),
        ("resblock_kernel_sizes", []),
        ("upsample_factors", [8, 8]),
        ("upsample_factors", [64, 64, 64]),
        ("upsample_factors", "8"),
        ("upsample_kernel_sizes", [16, 16, 7]),
        ("upsample_kernel_sizes", [16, 16, 2]),
        ("upsample_initial_channel", 20),
        ("inference_padding", 1),
        ("inference_padding", None),
        ("sample_rate", 16_000),
    ],
)
def test_sizes_of_the_vocoder_that_make_no_sense(
    files: dict[str, bytes], tmp_path: Path, key: str, value: object
) -> None:
    text = hyperparams_yaml({**VOCODER, key: value}, "generator", "HifiGAN.HifiganGenerator")
    changed = {**files, f"{VOCODER_REPO}/hyperparams.yaml": text.encode()}
    if value is None:  # as good as absent
        assert loaded(changed, tmp_path)
    else:
        assert key.split("_", maxsplit=1)[0] in refusal(changed, tmp_path)


def test_huge_sizes_are_refused_before_memory_is_taken(files: dict[str, bytes], tmp_path: Path) -> None:
    huge = {**ACOUSTIC, "encoder_embedding_dim": 8192, "symbols_embedding_dim": 8192, "decoder_rnn_dim": 8192}
    text = hyperparams_yaml(huge, "model", "Tacotron2.Tacotron2")
    assert "another shape" in refusal({**files, f"{ACOUSTIC_REPO}/hyperparams.yaml": text.encode()}, tmp_path)


def test_absent_keys_are_the_papers_sizes(tmp_path: Path) -> None:
    path = tmp_path / "hyperparams.yaml"
    path.write_text("sample_rate: 22050\n")
    assert read_tacotron2_config(read_hyperparams(path, "model")) == Tacotron2Config()
    assert read_hifigan_config(read_hyperparams(path, "generator")) == HifiGanConfig()
    path.write_text("model: !new:a.B\n  prenet_dim: 128\n  attention_dim: !ref <width>\nwidth: 64\nprenet_dim: 12\n")
    expected = Tacotron2Config(prenet_dim=128, attention_dim=64)
    assert read_tacotron2_config(read_hyperparams(path, "model")) == expected


def test_settings_in_full_give_the_papers_sizes(tmp_path: Path) -> None:
    path = tmp_path / "hyperparams.yaml"
    path.write_text(hyperparams_yaml(PAPER_ACOUSTIC, "model", "Tacotron2.Tacotron2"))
    assert read_tacotron2_config(read_hyperparams(path, "model")) == Tacotron2Config()
    path.write_text(hyperparams_yaml(PAPER_VOCODER, "generator", "HifiGAN.HifiganGenerator"))
    assert read_hifigan_config(read_hyperparams(path, "generator")) == HifiGanConfig()

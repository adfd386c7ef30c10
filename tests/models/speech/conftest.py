"""Fixtures of the speech models' tests."""

from types import SimpleNamespace

import pytest
import torch

from tests.models.speech.speechbrain_files import (
    ACOUSTIC,
    ACOUSTIC_REPO,
    ACOUSTIC_YAML,
    VOCODER,
    VOCODER_REPO,
    VOCODER_YAML,
    lived,
    old_weight_norm,
    saved,
    speechbrain_hifigan,
    speechbrain_tacotron2,
)


@pytest.fixture(scope="module")
def theirs() -> SimpleNamespace:
    """Both random modules."""
    torch.manual_seed(0)
    return SimpleNamespace(
        acoustic=lived(speechbrain_tacotron2(ACOUSTIC)),
        vocoder=lived(speechbrain_hifigan(VOCODER, old_weight_norm)),
    )


@pytest.fixture
def files(theirs: SimpleNamespace) -> dict[str, bytes]:
    """Return the files of both repositories by "repo_id/path"."""
    return {
        f"{ACOUSTIC_REPO}/model.ckpt": saved(theirs.acoustic),
        f"{ACOUSTIC_REPO}/hyperparams.yaml": ACOUSTIC_YAML.encode(),
        f"{VOCODER_REPO}/generator.ckpt": saved(theirs.vocoder),
        f"{VOCODER_REPO}/hyperparams.yaml": VOCODER_YAML.encode(),
    }

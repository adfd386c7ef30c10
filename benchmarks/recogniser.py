"""Word error rate of made speech, as a public recogniser hears it.

The recogniser is Moonshine tiny (MIT, Useful Sensors 2024) in ONNX form. Its folder holds `encoder_model.onnx`,
`decoder_model_merged.onnx` and `tokenizer.json`; without a folder the weights come from the Hub.
Needs the extra `measure` of the project and `useful-moonshine-onnx` (installed with --no-deps).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from models.audio import resample

RATE = 16_000
_ABBREVIATIONS = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint"}


def split_spoken_words(text: str) -> str:
    """Split into lower-case words without punctuation, numbers spelled out, so that '12' and 'twelve' agree."""
    from num2words import num2words

    text = text.lower().replace("&", " and ").replace("%", " percent ").replace("-", " ")
    text = re.sub(r"(?<=\d),(?=\d)", "", text)
    text = re.sub(r"(\d+)(?:st|nd|rd|th)\b", lambda m: f" {num2words(int(m[1]), to='ordinal')} ", text)

    def spell(match: re.Match[str]) -> str:
        number = int(match[0][:9])
        return f" {num2words(number, to='year') if 1100 <= number < 2100 else num2words(number)} "

    text = re.sub(r"\d+", spell, text).replace("'", "").replace("’", "")
    words = re.sub(r"[^a-z ]", " ", text).split()
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words)


class Recogniser:
    """A speech recogniser."""

    def __init__(self, folder: Path | None) -> None:
        import tokenizers
        from moonshine_onnx.model import MoonshineOnnxModel

        if folder is None:
            from huggingface_hub import hf_hub_download

            self.model = MoonshineOnnxModel(model_name="moonshine/tiny")
            tokenizer = Path(hf_hub_download("UsefulSensors/moonshine-tiny", "tokenizer.json"))
        else:
            self.model = MoonshineOnnxModel(models_dir=str(folder), model_name="tiny")
            tokenizer = folder / "tokenizer.json"
        self.tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer))

    def transcribe(self, samples: np.ndarray, rate: int) -> str:
        """Transcribe mono sound."""
        audio = resample(samples.astype(np.float32), rate, RATE)
        tokens = self.model.generate(audio[None], max_len=int(len(audio) / RATE * 6.5) + 4)
        return str(self.tokenizer.decode_batch(tokens)[0])


def measure_word_error_rate(said: list[str], heard: list[str]) -> float:
    """Measure the word error rate over all the sentences together."""
    import jiwer

    return float(jiwer.wer([split_spoken_words(t) for t in said], [split_spoken_words(t) for t in heard]))

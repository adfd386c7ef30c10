"""How each kind of speech model of transformers says one sentence: a class of a few lines each.

Letters: S steps of the decoder, L symbols, N samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.backends.device_placement import Placement
from models.backends.library import import_library, open_pretrained, read_json
from models.contracts import SpeechRequest, Voice
from models.errors import ModelError
from models.hub.formats import Format

FloatArray = NDArray[np.float32]
CheckStop = Callable[[], None]
WORD_BREAKS = (" ", "▁", "_")


@dataclass(frozen=True)
class SpokenSentence:
    """One sentence as sound.

    Attributes:
        samples: float32 (N,).
        alignment: float32 (S, L), which symbol was read at each step; (0, 0) where the model tells none.
        symbols: L labels.
        words: (text, first symbol, symbol after the last) of each word; () where the model tells none.
        verdict: a plain sentence about the alignment.
    """

    samples: FloatArray
    alignment: FloatArray
    symbols: tuple[str, ...] = ()
    words: tuple[tuple[str, int, int], ...] = ()
    verdict: str = ""


class Speaker(Protocol):
    """What the adapter needs of a kind."""

    sample_rate: int
    voices: tuple[Voice, ...]
    controls: tuple[str, ...]

    def say(self, sentence: str, request: SpeechRequest, check: CheckStop) -> SpokenSentence:
        """Speak one sentence; `check` raises when nobody listens any more."""
        ...


NO_ALIGNMENT = np.zeros((0, 0), np.float32)


def find_words(symbols: tuple[str, ...]) -> tuple[tuple[str, int, int], ...]:
    """Return the words in a row of letters: (text, first symbol, symbol after the last) of each."""
    words: list[tuple[str, int, int]] = []
    text, start = "", 0
    for at, symbol in enumerate((*symbols, " ")):
        is_break = symbol[:1] in WORD_BREAKS or symbol in ("</s>", "<s>", "<pad>")
        if is_break and text:
            words.append((text, start, at))
        if is_break:
            text, start = symbol[1:] if symbol[:1] == "▁" else "", at + (0 if symbol[:1] == "▁" and symbol[1:] else 1)
        else:
            start = start if text else at
            text += symbol
    return tuple(words)


class VitsSpeaker:
    """VITS and its 1,100 languages of MMS (Kim et al. 2021, Pratap et al. 2023): all of a sentence in one pass.

    The alignment is the model's own: how many frames it gives to each letter.
    """

    controls: tuple[str, ...] = ("speed",)

    def __init__(self, made: Any, folder: Path, placement: Placement) -> None:
        self.tokenizer = open_pretrained(import_library("transformers").VitsTokenizer, folder)
        self.model = open_pretrained(made, folder, use_safetensors=True)  # in float32, which its flow needs
        self.model.to(placement.device).eval()
        self.sample_rate = int(self.model.config.sampling_rate)
        count = int(self.model.config.num_speakers)
        self.voices = tuple(Voice(str(at), f"Speaker {at + 1}", "") for at in range(count)) if count > 1 else ()
        self._durations: Any = None
        self.model.duration_predictor.register_forward_hook(self._note)

    def _note(self, _module: Any, _inputs: Any, output: Any) -> None:
        self._durations = output

    def say(self, sentence: str, request: SpeechRequest, check: CheckStop) -> SpokenSentence:
        """Say a sentence.

        Raises:
            ModelError: the language needs a package to be written in Latin letters or sounds.
        """
        import torch

        if self.tokenizer.is_uroman and not sentence.isascii():
            _require_package("uroman", "writes this language in Latin letters")
        if self.tokenizer.phonemize:
            _require_package("phonemizer", "turns this language into sounds (it needs espeak-ng too)")
        ids = self.tokenizer(sentence, return_tensors="pt")["input_ids"].to(self.model.device)
        if ids.shape[1] == 0 or not any(symbol.strip() for symbol in self._symbols(ids[0])):
            return SpokenSentence(np.zeros(0, np.float32), NO_ALIGNMENT)
        speaker = int(request.voice) if self.voices and request.voice.isdigit() else 0
        rate = self.model.speaking_rate * request.speed
        with torch.inference_mode():
            output = self.model(input_ids=ids, speaker_id=speaker if self.voices else None, speaking_rate=rate)
        samples = output.waveform[0, : int(output.sequence_lengths[0])].float().cpu().numpy()
        symbols = self._symbols(ids[0])
        frames = torch.ceil(torch.exp(self._durations.float()) / rate).reshape(-1).long().cpu().numpy()
        alignment = np.repeat(np.eye(len(symbols), dtype=np.float32), frames, axis=0)
        keep = [at for at, symbol in enumerate(symbols) if symbol]
        if self.tokenizer.add_blank and keep:  # a blank before each letter: its frames count to that letter
            for at in keep:
                alignment[:, at] += alignment[:, at - 1]
            if keep[-1] + 1 < alignment.shape[1]:  # and the blank after the last
                alignment[:, keep[-1]] += alignment[:, keep[-1] + 1]
            alignment = alignment[:, keep]
        shown = tuple(symbols[at] for at in keep)
        verdict = "Every letter has its time: this model decides how long each one lasts before it speaks."
        return SpokenSentence(samples, alignment, shown, find_words(shown), verdict)

    def _symbols(self, ids: Any) -> tuple[str, ...]:
        tokens = self.tokenizer.convert_ids_to_tokens(ids.tolist())
        if self.tokenizer.add_blank:
            return tuple((token or "") if at % 2 else "" for at, token in enumerate(tokens))
        return tuple(token or "" for token in tokens)


class SpeakerEmbeddings:
    """SpeechT5's voices: a speaker embedding of 512 numbers each.

    The repository may bring them by name in `speaker_embeddings.safetensors`; otherwise the seed draws one, as if a
    stranger were asked to speak.
    """

    def __init__(self, folder: Path) -> None:
        from models.weights_io import load_safetensors

        path = folder / "speaker_embeddings.safetensors"
        self.named: dict[str, Any] = load_safetensors(path) if path.is_file() else {}
        known = [Voice(name, name.replace("_", " "), "") for name in self.named]
        self.voices = (*known, Voice("seed", "A voice drawn by the seed", ""))

    def get(self, model: Any, voice: str, seed: int) -> Any:
        """Return a voice's embedding, (1, 512): the first one for an unknown voice, or one drawn by the seed."""
        import torch

        embedding = self.named.get(voice) if voice != "seed" else None
        if embedding is None and voice != "seed" and self.named:
            embedding = next(iter(self.named.values()))
        if embedding is None:
            generator = torch.Generator().manual_seed(seed)
            embedding = torch.randn(model.config.speaker_embedding_dim, generator=generator)
        return torch.nn.functional.normalize(embedding.reshape(1, -1).float(), dim=1).to(model.device)


class SpeechT5Speaker:
    """SpeechT5 (Ao et al. 2022): frame by frame with attention, and a HiFi-GAN vocoder."""

    controls: tuple[str, ...] = ("vocoder",)

    def __init__(self, made: Any, folder: Path, placement: Placement, companion: Path | None) -> None:
        package = import_library("transformers")
        self.tokenizer = open_pretrained(package.SpeechT5Tokenizer, folder)
        self.model = open_pretrained(made, folder, use_safetensors=True, attn_implementation="eager")
        self.model.to(placement.device).eval()
        self.vocoder = open_speecht5_vocoder(companion, placement)
        self.sample_rate = int(self.vocoder.config.sampling_rate)
        self.embeddings = SpeakerEmbeddings(folder)
        self.voices = self.embeddings.voices

    def say(self, sentence: str, request: SpeechRequest, check: CheckStop) -> SpokenSentence:
        """Say a sentence; alignment and words come from the attention head that moves most steadily along the text."""
        import torch

        ids = self.tokenizer(sentence, return_tensors="pt")["input_ids"].to(self.model.device)
        hook = self.model.speech_decoder_postnet.feat_out.register_forward_hook(lambda *_: check())
        try:
            with torch.inference_mode():
                mel, attention = self.model.generate_speech(
                    ids,
                    self.embeddings.get(self.model, request.voice, request.seed),
                    vocoder=None,
                    output_cross_attentions=True,
                )
                samples = self.vocoder(mel) if request.vocoder == "neural" else _griffin_lim(mel)
        finally:
            hook.remove()
        symbols = tuple(self.tokenizer.convert_ids_to_tokens(ids[0].tolist()))
        alignment = select_alignment_head(attention.float().cpu().numpy())
        samples = samples.reshape(-1).float().cpu().numpy()
        return SpokenSentence(samples, alignment, symbols, find_words(symbols), judge_alignment(alignment, symbols))


def open_speecht5_vocoder(companion: Path | None, placement: Placement) -> Any:
    """Open the HiFi-GAN that SpeechT5 needs.

    Raises:
        ModelError: it is not here, or damaged.
    """
    if companion is None:
        raise ModelError("SpeechT5 needs its vocoder, which is not here. Delete the model and get it again.", "weights")
    made = import_library("transformers").SpeechT5HifiGan
    return open_pretrained(made, companion, use_safetensors=True).to(placement.device).eval()


class BarkSpeaker:
    """Bark (Suno 2023): three language models over codes of sound."""

    controls: tuple[str, ...] = ()

    def __init__(self, made: Any, folder: Path, placement: Placement) -> None:
        package = import_library("transformers")
        self.model = (
            open_pretrained(made, folder, use_safetensors=True, dtype=placement.dtype).to(placement.device).eval()
        )
        table = "speaker_embeddings_path.json"
        self.processor = open_pretrained(
            package.BarkProcessor, folder, speaker_embeddings_dict_path=table if (folder / table).is_file() else None
        )
        self.sample_rate = int(self.model.generation_config.sample_rate)
        presets = [name for name in (self.processor.speaker_embeddings or {}) if self._is_here(folder, name)]
        self.voices = tuple(Voice(name, name.removeprefix("v2/").replace("_", " "), "MIT") for name in presets)

    def _is_here(self, folder: Path, name: str) -> bool:
        table = self.processor.speaker_embeddings[name]
        return isinstance(table, dict) and all((folder / str(path)).is_file() for path in table.values())

    def say(self, sentence: str, request: SpeechRequest, check: CheckStop) -> SpokenSentence:
        """Say a sentence; there is no alignment, for Bark does not tell where it reads."""
        import torch

        known = [voice.key for voice in self.voices]
        preset = request.voice if request.voice in known else (known[0] if known else None)
        inputs = self.processor(sentence, voice_preset=preset)
        inputs = {name: _move_to(value, self.model.device) for name, value in inputs.items()}
        hooks = [
            part.register_forward_hook(lambda *_: check())
            for part in (self.model.semantic, self.model.coarse_acoustics, self.model.fine_acoustics)
        ]
        try:
            with torch.inference_mode():
                sound = self.model.generate(**inputs)
        finally:
            for hook in hooks:
                hook.remove()
        return SpokenSentence(sound.reshape(-1).float().cpu().numpy(), NO_ALIGNMENT)


class DialogueSpeaker:
    """CSM and Dia: a language model over codec tokens, with a processor that knows the codec."""

    controls: tuple[str, ...] = ()

    def __init__(self, made: Any, folder: Path, placement: Placement) -> None:
        package = import_library("transformers")
        self.is_csm = read_json(folder / "config.json").get("model_type") == "csm"
        self.processor = open_pretrained(package.AutoProcessor, folder)
        self.model = (
            open_pretrained(made, folder, use_safetensors=True, dtype=placement.dtype).to(placement.device).eval()
        )
        extractor = getattr(self.processor, "feature_extractor", None)
        self.sample_rate = int(getattr(extractor, "sampling_rate", 24_000))
        self.voices = tuple(Voice(str(at), f"Speaker {at + 1}", "") for at in range(2))

    def say(self, sentence: str, request: SpeechRequest, check: CheckStop) -> SpokenSentence:
        """Say a sentence; there is no alignment, for neither tells where it reads."""
        import torch

        speaker = int(request.voice) if request.voice.isdigit() else 0
        written = f"[{speaker}]{sentence}" if self.is_csm else f"[S{speaker + 1}] {sentence}"
        inputs = self.processor(text=[written], padding=True, return_tensors="pt")
        inputs = {name: _move_to(value, self.model.device) for name, value in inputs.items()}
        hook = self.model.register_forward_hook(lambda *_: check())
        try:
            with torch.inference_mode():
                made = self.model.generate(**inputs, **({"output_audio": True} if self.is_csm else {}))
        finally:
            hook.remove()
        sound = made[0] if self.is_csm else self.processor.batch_decode(made)[0]
        return SpokenSentence(torch.as_tensor(sound).reshape(-1).float().cpu().numpy(), NO_ALIGNMENT)


SPEAKERS: dict[str, Callable[..., Speaker]] = {
    "vits": VitsSpeaker,
    "speecht5": SpeechT5Speaker,
    "bark": BarkSpeaker,
    "csm": DialogueSpeaker,
    "dia": DialogueSpeaker,
}


def make_speaker(kind: Format, made: Any, folder: Path, placement: Placement, companion: Path | None) -> Speaker:
    """Make the speaker of a kind, with its companion where it has one."""
    more = {} if kind.companion is None else {"companion": companion}
    return SPEAKERS[kind.name](made, folder, placement, **more)


def select_alignment_head(attention: FloatArray) -> FloatArray:
    """Return the attention (S, L) of the head, of (layers, heads, S, L), that attends firmly and moves forward."""
    flat = attention.reshape(-1, *attention.shape[2:])
    places = np.arange(flat.shape[2], dtype=np.float32)
    centres = flat @ places  # (heads, S)
    forward = np.diff(centres, axis=1)
    moved = np.abs(forward).sum(axis=1) + 1e-6
    steady = (centres[:, -1] - centres[:, 0]) / moved if flat.shape[1] > 1 else np.ones(len(flat))
    return np.ascontiguousarray(flat[int(np.argmax(flat.max(axis=2).mean(axis=1) * np.clip(steady, 0.01, 1)))])


def judge_alignment(alignment: FloatArray, symbols: tuple[str, ...]) -> str:
    """Say in a sentence whether every word got attention."""
    mass = alignment.sum(axis=0)
    missed = [text for text, start, end in find_words(symbols) if float((mass[start:end] < 0.12).mean()) >= 0.5]
    if missed:
        return f"The model may have skipped {', '.join(f'“{word}”' for word in missed[:3])}."
    if float(alignment.max(axis=1).mean()) < 0.4:
        return "A blurred diagonal: every word was read, perhaps not clearly."
    return "A clear diagonal: every word was read."


def _griffin_lim(mel: Any) -> Any:
    """Turn SpeechT5's base-10 log mel (16 kHz, window 1,024, hop 256, 80 Slaney bands from 80 Hz) into sound."""
    import torch

    from models.torchaudio_import import import_torchaudio

    functional = import_torchaudio().functional
    bank = functional.melscale_fbanks(513, 80.0, 7_600.0, 80, 16_000, norm="slaney", mel_scale="slaney")
    magnitude = (torch.linalg.pinv(bank.T) @ (10.0 ** mel.float().cpu().T)).clamp_min(1e-8)
    frames = magnitude.shape[1]
    magnitude = torch.nn.functional.pad(magnitude, (0, max(0, 8 - frames)), value=1e-8)  # less cannot be inverted
    window = torch.hann_window(1024)
    return functional.griffinlim(magnitude, window, 1024, 256, 1024, 1.0, 32, 0.99, None, True)[: frames * 256]


def _move_to(value: Any, device: Any) -> Any:
    if isinstance(value, dict) or hasattr(value, "items"):
        return {name: _move_to(each, device) for name, each in value.items()}
    return value.to(device) if hasattr(value, "to") else value


def _require_package(package: str, said: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ModelError(f"This voice needs the package {package}, which {said}: `pip install {package}`.", "loader")

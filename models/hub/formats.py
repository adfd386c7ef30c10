"""The kinds of repositories that the studio can run, one entry each; generic adapters read them.

A repository says what it is in `config.json` (`model_type`, transformers), in `model_index.json` (`_class_name`,
diffusers), or in `auralume.json` (weights of this project's own recipes). Voices as ONNX graphs are known by their
files (`models.hub.onnx_layout`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from models.contracts import Task
from models.hub.onnx_layout import HIBARI, KOKORO, PIPER

Library = Literal["transformers", "diffusers", "onnx", "vgg", "auralume"]

SPEECH_LOADER = "models.backends.speech:load"
ONNX_LOADER = "models.backends.onnx_speech:load"
MUSIC_LOADER = "models.backends.music:load"
VIDEO_LOADER = "models.backends.video:load"
SOUND_STYLE_LOADER = "models.backends.sound_style:load"
STYLE_LOADER = "models.style.gatys:load"
NATIVE_LOADER = "models.backends.native_weights:load"


@dataclass(frozen=True)
class Companion:
    """Another repository that a kind needs beside its own."""

    repo_id: str
    revision: str


@dataclass(frozen=True)
class Format:
    """One kind of repository.

    Attributes:
        name: what the repository calls itself: `model_type`, `_class_name`, or the architecture.
        task: which tab it serves.
        backend: class of the library that runs it.
        loader: of the studio.
        summary: one sentence for a person choosing.
        companion: what it needs beside.
        extra: patterns of files that it takes, where they exist, beside weights, configurations and tokenizers.
        cpu_limit_mb: weights above this are hopeless without a GPU.
        steps, guidance: of the sampler, as the library itself does it where nothing is said; 0 where it has none.
        mixes_voices: whether it speaks between two of its voices.
    """

    name: str
    task: Task
    library: Library
    backend: str
    loader: str
    summary: str
    companion: Companion | None = None
    extra: tuple[str, ...] = ()
    cpu_limit_mb: float = 3_000
    steps: int = 0
    guidance: float = 0.0
    mixes_voices: bool = False


SPEECHT5_VOCODER = Companion("microsoft/speecht5_hifigan", "6f01b211b404df2e0a0a20ca79628a757bb35854")


def _speech(
    name: str, backend: str, summary: str, companion: Companion | None = None, extra: tuple[str, ...] = ()
) -> Format:
    return Format(name, Task.SPEECH, "transformers", backend, SPEECH_LOADER, summary, companion, extra)


def _onnx_voice(name: str, summary: str, mixes_voices: bool = False) -> Format:
    return Format(
        name,
        Task.SPEECH,
        "onnx",
        "",
        ONNX_LOADER,
        summary,
        cpu_limit_mb=2_000,
        mixes_voices=mixes_voices,
    )


def _video(backend: str, summary: str, guidance: float, steps: int = 50) -> Format:
    return Format(backend, Task.VIDEO, "diffusers", backend, VIDEO_LOADER, summary, steps=steps, guidance=guidance)


def _sound(backend: str, summary: str) -> Format:
    return Format(backend, Task.MUSIC, "diffusers", backend, MUSIC_LOADER, summary)


FORMATS: tuple[Format, ...] = (
    _speech("vits", "VitsModel", "VITS: speaks whole sentences at once; the MMS project has 1,100 languages of it."),
    _speech(
        "speecht5",
        "SpeechT5ForTextToSpeech",
        "SpeechT5: reads with attention, which the alignment plot shows.",
        companion=SPEECHT5_VOCODER,
        extra=("speaker_embeddings.safetensors",),
    ),
    _speech(
        "bark",
        "BarkModel",
        "Bark: lively voices in 13 languages, with laughs and sighs; slow without a GPU.",
        extra=("speaker_embeddings_path.json", "speaker_embeddings/v2/??_speaker_[0-9]_*.npy"),
    ),
    _speech("csm", "CsmForConditionalGeneration", "CSM: a conversational voice made of a Llama and the Mimi codec."),
    _speech("dia", "DiaForConditionalGeneration", "Dia: dialogues of two speakers, written as [S1] and [S2]."),
    _onnx_voice(KOKORO, "Kokoro: clear English voices, of which two can be mixed; needs no GPU.", True),
    _onnx_voice(HIBARI, "hibari: a small voice that learned from Kokoro, many times faster than real time."),
    _onnx_voice(PIPER, "Piper: English voices of many people, several times faster than real time."),
    Format(
        "musicgen",
        Task.MUSIC,
        "transformers",
        "MusicgenForConditionalGeneration",
        MUSIC_LOADER,
        "MusicGen: makes sound from a description; it is heard while it is made.",
    ),
    _sound("StableAudioPipeline", "Stable Audio: stereo sound from a description, by diffusion."),
    _sound("StableAudio3Pipeline", "Stable Audio 3: stereo sound of minutes from a description, by diffusion."),
    _sound("AceStepPipeline", "ACE-Step: songs from a description and from lyrics, by diffusion."),
    _video("WanPipeline", "Wan: clips from a description; Wan 2.2 TI2V sets a picture in motion, too.", 5.0),
    _video("WanImageToVideoPipeline", "Wan: sets a picture in motion.", 5.0),
    _video("LTXPipeline", "LTX-Video: clips from a description, or of a picture, fast.", 3.0),
    _video("LTXImageToVideoPipeline", "LTX-Video: sets a picture in motion.", 3.0),
    _video("CogVideoXPipeline", "CogVideoX: clips of six seconds from a description.", 6.0),
    _video("CogVideoXImageToVideoPipeline", "CogVideoX: sets a picture in motion.", 6.0),
    _video("SkyReelsV2Pipeline", "SkyReels V2: clips from a description, as films are shot.", 6.0),
    _video("AnimateDiffPipeline", "AnimateDiff: moves what a Stable Diffusion model draws.", 7.5),
    _video("TextToVideoSDPipeline", "ModelScope: short clips from a description; an early and small model.", 9.0),
    _video("HunyuanVideoPipeline", "HunyuanVideo: clips from a description; large.", 6.0),
    _video("HunyuanVideo15Pipeline", "HunyuanVideo 1.5: clips from a description; the smaller of the two.", 7.5),
    _video("Kandinsky5T2VPipeline", "Kandinsky 5: clips from a description.", 5.0),
    _video("Kandinsky5I2VPipeline", "Kandinsky 5: sets a picture in motion.", 5.0),
    _video("SanaVideoPipeline", "Sana Video: clips from a description, quickly, with a small denoiser.", 6.0),
    _video("SanaImageToVideoPipeline", "Sana Video: sets a picture in motion.", 6.0),
    _video("LTX2Pipeline", "LTX-2: clips with their own sound, from a description or of a picture; large.", 3.0, 30),
    _video("WanVACEPipeline", "Wan VACE: clips from a description, with what a picture shows in them.", 5.0),
    _video("MochiPipeline", "Mochi: clips from a description; large.", 4.5, 64),
    _video("LattePipeline", "Latte: short clips from a description.", 7.5),
    Format("vgg19", Task.STYLE_VIDEO, "vgg", "", STYLE_LOADER, "Neural style transfer on the features of VGG-19."),
    Format("vgg16", Task.STYLE_VIDEO, "vgg", "", STYLE_LOADER, "Neural style transfer on the features of VGG-16."),
    Format(
        "speecht5-vc",
        Task.STYLE_AUDIO,
        "transformers",
        "SpeechT5ForSpeechToSpeech",
        SOUND_STYLE_LOADER,
        "SpeechT5: says with another voice what a voice says.",
        companion=SPEECHT5_VOCODER,
        extra=("speaker_embeddings.safetensors",),
    ),
    Format(
        "musicgen_melody",
        Task.STYLE_AUDIO,
        "transformers",
        "MusicgenMelodyForConditionalGeneration",
        SOUND_STYLE_LOADER,
        "MusicGen Melody: plays a melody anew in a style that you describe.",
    ),
    Format("speech/tacotron2", Task.SPEECH, "auralume", "", NATIVE_LOADER, "A voice of this studio's own recipe."),
    Format("music/transformer", Task.MUSIC, "auralume", "", NATIVE_LOADER, "A composer of this studio's own recipe."),
    Format(
        "style_video/adain", Task.STYLE_VIDEO, "auralume", "", NATIVE_LOADER, "A picture style of the studio's recipe."
    ),
    Format(
        "style_audio/adain",
        Task.STYLE_AUDIO,
        "auralume",
        "",
        NATIVE_LOADER,
        "A sound style of the studio's own recipe.",
    ),
    Format("video/unet3d", Task.VIDEO, "auralume", "", NATIVE_LOADER, "A video model of this studio's own recipe."),
)

# One `model_type`, several things that a model was made for: the class that it was saved from tells which.
BY_CLASS = {"SpeechT5ForSpeechToSpeech": "speecht5-vc", "SpeechT5ForSpeechToText": "speecht5-asr"}

BY_NAME: dict[str, Format] = {each.name: each for each in FORMATS}


def read_format_name(config: dict[str, Any]) -> str:
    """Return the kind that a `config.json` names; "" where it names none."""
    made_of = config.get("architectures") or [""]
    by_class = BY_CLASS.get(str(made_of[0])) if isinstance(made_of, list) else None
    return by_class or str(config.get("model_type") or config.get("architecture") or "")


def takes_words(backend: str) -> bool:
    """Return whether a class restyles a sound as words say, and knows no voices or sounds as styles."""
    return backend == "MusicgenMelodyForConditionalGeneration"


def find_sampler_defaults(backend: str) -> tuple[int, float] | None:
    """Return (steps, guidance) that a class of diffusers is used with; None where it samples no pictures."""
    found = BY_NAME.get(backend)
    return (found.steps, found.guidance) if found is not None and found.steps else None


def needs_picture(backend: str) -> bool:
    """Return whether a class of diffusers sets a picture in motion and draws nothing from words alone."""
    return "ImageToVideo" in backend or "I2V" in backend


def sings(backend: str) -> bool:
    """Return whether a class of diffusers sings lyrics."""
    return backend == "AceStepPipeline"


def list_format_names(task: Task | None = None) -> str:
    """List the kinds that can be run, for a person to read: those of one task, or all."""
    return ", ".join(each.name for each in FORMATS if task in {None, each.task})

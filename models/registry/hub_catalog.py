"""The models of the Hub that the studio offers by name: facts as their own pages tell them.

Every entry is pinned to a commit. Which files belong to it, their exact sizes and checksums are asked of the Hub when
it is first needed, and stay as they were then; the sizes here are the sums that the pages show. Memory is an
estimate: the weights in the precision they run in (single on a processor, half on a GPU), 15 % more, and 300 MB. What
is not listed here, because its commit or size could not be looked up, can be added in the Models tab by its id.
"""

from __future__ import annotations

from models.contracts import Voice
from models.hub.download import Hub, HubFile
from models.hub.formats import BY_NAME
from models.hub.onnx_layout import KOKORO, PIPER
from models.hub.spec import ModelSpec, Snapshot
from models.hub.voice_names import KOKORO_ENGLISH, make_kokoro_voices


def _entry(
    name: str,
    title: str,
    kind: str,
    repo_id: str,
    revision: str,
    size_mb: float,
    memory_mb: int,
    licence: str,
    summary: str,
    *,
    credit: str,
    commercial_use: bool = True,
    languages: tuple[str, ...] = (),
    hardware: str = "any machine",
    needs_gpu: bool = False,
    speed: str = "",
    voices: tuple[Voice, ...] = (),
    files: tuple[HubFile, ...] = (),
) -> ModelSpec:
    line = BY_NAME[kind]
    return ModelSpec(
        key=f"{line.task}/{name}",
        task=line.task,
        title=title,
        summary=summary,
        licence=licence,
        commercial_use=commercial_use,
        credit=f"{credit}; huggingface.co/{repo_id}",
        sources=(Hub(repo_id, revision, files) if files else Snapshot(repo_id, revision, size_mb),),
        memory_mb=memory_mb,
        needs_gpu=needs_gpu,
        speed=speed or ("needs a GPU" if needs_gpu else "how fast it is shows after the first use"),
        loader=line.loader,
        languages=languages,
        hardware=hardware,
        backend=line.backend,
        voices=voices,
        mixes_voices=line.mixes_voices,
    )


BARK_VOICES = tuple(
    Voice(f"v2/{code}_speaker_{number}", f"{language}, speaker {number}", "MIT")
    for code, language in (("en", "English"), ("de", "German"), ("es", "Spanish"), ("fr", "French"))
    for number in (0, 3, 6)
)

PIPER_JOE = "en/en_US/joe/medium/en_US-joe-medium.onnx"

HUB_CATALOG: tuple[ModelSpec, ...] = (
    _entry(
        "kokoro-82m",
        "Kokoro, 82M",
        KOKORO,
        "onnx-community/Kokoro-82M-v1.0-ONNX",
        "1939ad2a8e416c0acfeecc08a694d14ef25f2231",
        107,
        900,
        "Apache-2.0",
        "Clear English voices, 28 of them, American and British, any two of which can be mixed.",
        credit=(
            "hexgrad 2025; its authors say that it was trained largely on synthetic speech of other systems; ONNX by "
            "onnx-community"
        ),
        languages=("en",),
        speed="about 0.6 s of a processor core for a second of speech",
        voices=make_kokoro_voices(KOKORO_ENGLISH),
    ),
    _entry(
        "piper-joe",
        "Piper, Joe",
        PIPER,
        "rhasspy/piper-voices",
        "834f23262168a7e809179465e4113f23f5a7d1f7",
        63,
        500,
        "CC0-1.0",
        "An American man who reads aloud, quickly; other voices of Piper are added by the id of their repository.",
        credit="Hansen 2023; trained on a voice data set of Nabu Casa (CC0), beginning from Piper's voice lessac",
        languages=("en",),
        speed="about 0.1 s of a processor core for a second of speech",
        voices=(Voice("joe", "Joe, American English, a man", "CC0-1.0", "a voice of Piper"),),
        files=(
            HubFile(PIPER_JOE, 63_201_294, "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"),
            HubFile(f"{PIPER_JOE}.json", 4_794),
        ),
    ),
    _entry(
        "mms-eng",
        "MMS English",
        "vits",
        "facebook/mms-tts-eng",
        "c71de0fe7204c83f1c10820a7d696d0b450048ba",
        145,
        470,
        "CC-BY-NC-4.0",
        "VITS of Meta's Massively Multilingual Speech: one English voice, quick on any machine.",
        credit="Pratap et al. 2023",
        commercial_use=False,
        languages=("eng",),
        voices=(Voice("0", "MMS English", "CC-BY-NC-4.0"),),
    ),
    _entry(
        "mms-fra",
        "MMS French",
        "vits",
        "facebook/mms-tts-fra",
        "5806d92d6247218c0e81e5f1a7462f6f636f70a2",
        145,
        470,
        "CC-BY-NC-4.0",
        "The same in French; other languages of MMS are added by their id, facebook/mms-tts-<code>.",
        credit="Pratap et al. 2023",
        commercial_use=False,
        languages=("fra",),
        voices=(Voice("0", "MMS French", "CC-BY-NC-4.0"),),
    ),
    _entry(
        "bark-small",
        "Bark, small",
        "bark",
        "skroed/bark-small",
        "2101a2e23e20da314f3b9734fca6088275b0c355",
        1_680,
        2_300,
        "MIT",
        "Lively voices in 13 languages, with laughs and sighs; minutes for a sentence without a GPU.",
        credit="Suno 2023; a copy of suno/bark-small as safetensors",
        languages=("en", "de", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru", "tr", "zh"),
        hardware="a GPU with 4 GB, or patience",
        voices=BARK_VOICES,
    ),
    _entry(
        "musicgen-small",
        "MusicGen, small",
        "musicgen",
        "facebook/musicgen-small",
        "3e02990f9775c87efd8f8af10faa8bf78294b338",
        2_360,
        3_050,
        "CC-BY-NC-4.0",
        "Sound from a description, up to 30 s, heard while it is made; mono.",
        credit="Copet et al. 2023",
        commercial_use=False,
        languages=("en",),
        hardware="a GPU with 6 GB, or patience",
    ),
    _entry(
        "musicgen-stereo-medium",
        "MusicGen, stereo, medium",
        "musicgen",
        "facebook/musicgen-stereo-medium",
        "d89b612ef09ea9e2e4fcd7f5fc51fba63b964c7f",
        4_070,
        5_000,
        "CC-BY-NC-4.0",
        "Fuller sound in stereo from a description, up to 30 s, heard while it is made.",
        credit="Copet et al. 2023",
        commercial_use=False,
        languages=("en",),
        hardware="a GPU with 8 GB",
        needs_gpu=True,
    ),
    _entry(
        "wan2.1-t2v-1.3b",
        "Wan 2.1, 1.3B",
        "WanPipeline",
        "Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
        "0fad780a534b6463e45facd96134c9f345acfa5b",
        28_900,
        17_000,
        "Apache-2.0",
        "Clips of five seconds at 832 x 480 from a description in English or Chinese.",
        credit="Wan Team 2025",
        languages=("en", "zh"),
        hardware="a GPU with 8 GB and 24 GB of memory beside it, or a GPU with 20 GB",
        needs_gpu=True,
    ),
    _entry(
        "cogvideox-2b",
        "CogVideoX, 2B",
        "CogVideoXPipeline",
        "zai-org/CogVideoX-2b",
        "1137dacfc2c9c012bed6a0793f4ecf2ca8e7ba01",
        13_776,
        16_200,
        "Apache-2.0",
        "Clips of six seconds at 720 x 480 from a description.",
        credit="Yang et al. 2024",
        languages=("en",),
        hardware="a GPU with 8 GB and 20 GB of memory beside it, or a GPU with 18 GB",
        needs_gpu=True,
    ),
    _entry(
        "ltx-video",
        "LTX-Video, 2B",
        "LTXPipeline",
        "Lightricks/LTX-Video",
        "0459e8f6cfec8674ba6ba46446375c6813ff9ec2",
        28_400,
        16_700,
        "LTX-Video Open Weights (other)",
        "Clips at 704 x 480 from a description, faster than most.",
        credit="HaCohen et al. 2024",
        commercial_use=False,
        languages=("en",),
        hardware="a GPU with 8 GB and 24 GB of memory beside it, or a GPU with 18 GB",
        needs_gpu=True,
    ),
    _entry(
        "vgg19",
        "Neural style with VGG-19",
        "vgg19",
        "timm/vgg19.tv_in1k",
        "128d4708565b3a414bcbb9bbad440b2fe37b9f18",
        575,
        2_000,
        "BSD-3-Clause",
        "The classic: the pixels are changed until VGG-19 sees the style in them. Half a minute or more for a picture.",
        credit="Gatys et al. 2016; VGG of Simonyan and Zisserman 2015, weights of torchvision",
        hardware="any machine for pictures; a GPU for clips",
        speed="about a minute for a picture of 384 pixels on two CPU cores",
    ),
    _entry(
        "vgg16",
        "Neural style with VGG-16",
        "vgg16",
        "timm/vgg16.tv_in1k",
        "3394518cba29aee1ea82a49d971be90d2dd1dab7",
        553,
        2_000,
        "BSD-3-Clause",
        "The same with the smaller VGG-16.",
        credit="Gatys et al. 2016; VGG of Simonyan and Zisserman 2015, weights of torchvision",
        hardware="any machine for pictures; a GPU for clips",
        speed="about a minute for a picture of 384 pixels on two CPU cores",
    ),
)

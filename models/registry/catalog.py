"""The models that the studio offers, one block each.

Revisions are commits of the repository; checksums are the SHA-256 that its LFS pointers name. Small files carry none
here: the commit fixes them, and they are checked against the git blob id that the Hub announces for it.
"""

from __future__ import annotations

from models.contracts import Task, Voice
from models.hub.download import Hub, HubFile
from models.hub.spec import Bundled, ModelSpec
from models.hub.voice_names import KOKORO_LICENCE, KOKORO_TRAINING
from models.registry.hub_catalog import HUB_CATALOG

LJ = Voice(
    key="lj",
    title="LJ, American English, read aloud",
    licence="Public domain",
    credit="LJ Speech by Keith Ito, read by Linda Johnson for LibriVox",
)
FLITE_LICENCE = "Free, BSD style (CMU Flite)"
FLITE_CREDIT = "learned from sentences spoken by CMU Flite"

FROM_KOKORO = f"learned from the voice {{}} of Kokoro-82M by hexgrad, a synthetic voice; {KOKORO_TRAINING}"
KOKORO_VOICES = (
    Voice(
        "heart",
        "Heart, American English, a woman",
        KOKORO_LICENCE,
        FROM_KOKORO.format("af_heart") + ", by way of hibari by Maureese Williams",
    ),
    Voice("emma", "Emma, British English, a woman (from 13 minutes)", KOKORO_LICENCE, FROM_KOKORO.format("bf_emma")),
    Voice(
        "michael",
        "Michael, American English, a man (from 13 minutes)",
        KOKORO_LICENCE,
        FROM_KOKORO.format("am_michael"),
    ),
    Voice("fable", "Fable, British English, a man (from 15 minutes)", KOKORO_LICENCE, FROM_KOKORO.format("bm_fable")),
)

TONEJS = "after the tonejs-instruments samples (N. Brosowsky and the libraries that it names)"
CC_BY_3, CC_BY, CC0, FREE = "CC BY 3.0", "CC BY", "CC0", "Public domain"
SOUND_STYLES = (
    Voice("lj", "Voice: LJ, a woman", FREE, LJ.credit),
    Voice("slt", "Voice: SLT, a woman", FLITE_LICENCE, FLITE_CREDIT),
    Voice("rms", "Voice: RMS, a man", FLITE_LICENCE, FLITE_CREDIT),
    Voice("awb", "Voice: AWB, a Scottish man", FLITE_LICENCE, FLITE_CREDIT),
    Voice("kal16", "Voice: KAL, a machine", FLITE_LICENCE, FLITE_CREDIT),
    Voice("violin", "Violin", CC_BY_3, TONEJS),
    Voice("cello", "Cello", CC_BY_3, TONEJS),
    Voice("flute", "Flute", CC_BY_3, TONEJS),
    Voice("organ", "Organ", CC_BY_3, TONEJS),
    Voice("guitar-electric", "Electric guitar", CC_BY_3, TONEJS),
    Voice("piano", "Piano", CC_BY_3, TONEJS),
    Voice("rain", "Rain", CC_BY, "after a recording by alex36917"),
    Voice("storm", "Storm", CC_BY, "after a recording by Digifish music"),
    Voice("fireplace", "Fireplace", FREE, "after a recording by ezwa"),
    Voice("ambi_drone", "Drone", CC0),
    Voice("ambi_glass_hum", "Humming glass", CC0),
)

DRAWN_SCENES = "video/scenes"  # of the video models that ship the one that is sharp at every size

CATALOG: tuple[ModelSpec, ...] = (
    ModelSpec(
        key="speech/fastspeech2",
        task=Task.SPEECH,
        title="Auralume FastSpeech 2",
        summary="Clear English voices that ship with the studio: all of a sentence at once, in a blink.",
        licence="Apache-2.0",
        commercial_use=True,
        credit="Trained by this repository's own recipe on speech of Kokoro-82M and hibari; after Ren et al. 2021",
        sources=(Bundled(("speech_fastspeech2.safetensors", "speech_vocoder.safetensors")),),
        memory_mb=350,
        needs_gpu=False,
        speed="many times faster than real time on two CPU cores",
        loader="models.speech.parallel_synthesizer:load_bundled",
        voices=KOKORO_VOICES,
        mixes_voices=True,
    ),
    ModelSpec(
        key="speech/tacotron2",
        task=Task.SPEECH,
        title="Auralume Tacotron 2",
        summary="The same voices, spoken step by step while its attention reads the text: the one to watch.",
        licence="Apache-2.0",
        commercial_use=True,
        credit=(
            "Trained by this repository's own recipe on LJ Speech and Flite, then on speech of Kokoro-82M and hibari; "
            "design after Shen et al. 2018"
        ),
        sources=(Bundled(("speech_tacotron2.safetensors", "speech_vocoder.safetensors")),),
        memory_mb=400,
        needs_gpu=False,
        speed="several times faster than real time on two CPU cores",
        loader="models.speech.synthesizer:load_bundled",
        voices=KOKORO_VOICES,
    ),
    ModelSpec(
        key="speech/tacotron2-speechbrain",
        task=Task.SPEECH,
        title="SpeechBrain Tacotron 2",
        summary="The paper-size English model with a HiFi-GAN vocoder: a fuller voice, a download, and more waiting.",
        licence="Apache-2.0",
        commercial_use=True,
        credit="SpeechBrain (Ravanelli et al. 2021), trained on LJ Speech",
        sources=(
            Hub(
                repo_id="speechbrain/tts-tacotron2-ljspeech",
                revision="d01e530d6d8e1b388c04b882305867addbed4389",
                files=(
                    HubFile(
                        "model.ckpt",
                        size_bytes=112_830_206,
                        sha256="02d1aa3fc1cc8fb0981895c765e9d0017416bb78861b5450e458dda92e567856",
                    ),
                    HubFile("hyperparams.yaml", size_bytes=2_200),
                ),
            ),
            Hub(
                repo_id="speechbrain/tts-hifigan-ljspeech",
                revision="17fbdc3aae35b81e1554111fa54eab5f2b70cedb",
                files=(
                    HubFile(
                        "generator.ckpt",
                        size_bytes=55_800_000,
                        sha256="1a389f24ffdc3769e0b9c0331f9d803ad0b78185e0da4f2d094e29eedbc11640",
                    ),
                    HubFile("hyperparams.yaml", size_bytes=1_160),
                ),
            ),
        ),
        memory_mb=450,
        needs_gpu=False,
        speed="somewhat slower than real time on two CPU cores",
        loader="models.speech.speechbrain:load",
        voices=(LJ,),
    ),
    ModelSpec(
        key="music/transformer",
        task=Task.MUSIC,
        title="Auralume Music Transformer",
        summary="A small composer that ships with the studio: songs, chorales, drums, bar by bar while you listen.",
        licence="MIT (trained on POP909's arrangements of copyrighted songs, among others)",
        commercial_use=True,
        credit=(
            "Trained by this repository's own recipe on POP909 (MIT), OpenScore Lieder (CC0), the Groove MIDI Dataset "
            "(CC BY 4.0, Google) and JSB Chorales (CC BY 4.0); design after Huang et al. 2018. "
            "Sound: TimGM6mb by Tim Brechbill, with pretty_midi"
        ),
        sources=(Bundled(("music_transformer.safetensors", "music_guard.safetensors")),),
        memory_mb=300,
        needs_gpu=False,
        speed="several times faster than real time on two CPU cores",
        loader="models.music.composer:load_bundled",
    ),
    ModelSpec(
        key="video/unet3d",
        task=Task.VIDEO,
        title="Auralume video",
        summary="A small 3D U-Net that ships with the studio: scenes and animated characters, in seconds on a CPU.",
        licence="MIT (characters learned from CC BY and OGA-BY drawings; things by name: Fluent emoji, MIT)",
        commercial_use=True,
        credit=(
            "Trained by this repository's own recipe on its own renderer, and on characters of the Liberated Pixel Cup "
            "(artists in models/weights/video_characters_credits.txt) and photographs (CC BY, names in "
            "models/weights/video_photos_credits.txt); words by all-MiniLM-L6-v2 (Apache-2.0); "
            "named things are laid over by rule: Fluent emoji, © Microsoft Corporation (MIT), names by Unicode CLDR "
            "(Unicode licence v3); design after Ho et al. 2022"
        ),
        sources=(
            Bundled(
                (
                    "video_unet3d.safetensors",
                    "video_text.safetensors",
                    "video_reader.safetensors",
                    "video_upscaler.safetensors",
                    "video_upscaler_light.safetensors",
                    "video_cutouts.zip",
                    "video_cutouts.json",
                )
            ),
        ),
        memory_mb=400,
        needs_gpu=False,
        speed="two seconds of video in a few seconds on two CPU cores",
        loader="models.video.generator:load_bundled",
    ),
    ModelSpec(
        key=DRAWN_SCENES,
        task=Task.VIDEO,
        title="Drawn scenes",
        summary="Scenes drawn by rule, sharp at any size and in any shape; no network draws them.",
        licence="MIT (things by name: Fluent emoji, MIT)",
        commercial_use=True,
        credit=(
            "The renderer that the video model learned from; words by all-MiniLM-L6-v2 (Apache-2.0); named things: "
            "Fluent emoji, © Microsoft Corporation (MIT), names by Unicode CLDR (Unicode licence v3)"
        ),
        sources=(
            Bundled(("video_text.safetensors", "video_reader.safetensors", "video_cutouts.zip", "video_cutouts.json")),
        ),
        memory_mb=300,
        needs_gpu=False,
        speed="two seconds of video at 256 pixels in two seconds on two CPU cores",
        loader="models.video.drawn_scenes:load_bundled",
    ),
    ModelSpec(
        key="beats/tcn",
        task=Task.BEATS,
        title="Auralume beat network",
        summary="Hears beats, downbeats and tempo of a song; ships with the studio.",
        licence="MIT (trained on POP909's arrangements of copyrighted songs, among others)",
        commercial_use=True,
        credit=(
            "Trained by this repository's own recipe on POP909 (MIT), OpenScore Lieder (CC0) and the Groove MIDI "
            "Dataset (CC BY 4.0, Google) as they sound with free soundfonts; after Davies and Böck 2019, "
            "and for the bars Durand et al. 2017"
        ),
        sources=(Bundled(("beats.safetensors", "beats_bars.safetensors")),),
        memory_mb=150,
        needs_gpu=False,
        speed="about forty times faster than real time on two CPU cores",
        loader="models.beats.detector:load_bundled",
    ),
    ModelSpec(
        key="style_video/synthesis",
        task=Task.STYLE_VIDEO,
        title="Auralume painter",
        summary="Paints a clip or picture anew with pieces of any painting, from coarse to fine; nothing is learned.",
        licence="MIT",
        commercial_use=True,
        credit="After Elad and Milanfar 2017, Style Transfer via Texture Synthesis; it has no weights",
        sources=(Bundled(()),),
        memory_mb=300,
        needs_gpu=False,
        speed="thirty frames a second at 256 pixels, a photograph in two seconds on two CPU cores",
        loader="models.style.video:load_synthesis",
    ),
    ModelSpec(
        key="style_video/adain",
        task=Task.STYLE_VIDEO,
        title="Auralume picture style (AdaIN)",
        summary="A small network that moves features to the style's statistics; quick, and it ships with the studio.",
        licence="MIT",
        commercial_use=True,
        credit="Trained by this repository's own recipe; after Huang and Belongie 2017, and Chen and Schmidt 2016",
        sources=(Bundled(("style_picture.safetensors",)),),
        memory_mb=700,
        needs_gpu=False,
        speed="about seven frames a second at 256 pixels on two busy CPU cores",
        loader="models.style.video:load_bundled",
    ),
    ModelSpec(
        key="style_audio/adain",
        task=Task.STYLE_AUDIO,
        title="Auralume audio style",
        summary="Gives a sound the timbre of another voice, an instrument or a place; ships with the studio.",
        licence="MIT",
        commercial_use=True,
        credit=(
            "Trained by this repository's own recipe on LJ Speech, CMU Flite, tonejs-instruments (CC BY 3.0), and "
            "ambiences and samples (CC0, CC BY); after Huang and Belongie 2017, Chou et al. 2019, and Baas et al. 2023"
        ),
        sources=(Bundled(("style_audio.safetensors",)),),
        memory_mb=300,
        needs_gpu=False,
        speed="many times faster than real time on two CPU cores",
        loader="models.style.audio_weights:load_bundled_audio",
        voices=SOUND_STYLES,
    ),
    ModelSpec(
        key="video_sync/cross-attention",
        task=Task.SYNC,
        title="Auralume sync",
        summary="Tells by how much the sound of a clip is late or early, and repairs it; ships with the studio.",
        licence="MIT",
        commercial_use=True,
        credit=(
            "Trained by this repository's own recipe on its own renderer and sounds; "
            "after Chung and Zisserman 2016, and Chen et al. 2021"
        ),
        sources=(Bundled(("video_sync.safetensors",)),),
        memory_mb=60,
        needs_gpu=False,
        speed="a hundred times faster than real time on one CPU core",
        loader="models.video.sync_model:load_bundled",
    ),
)
# A tab begins with a model that ships; those of the Hub come after it.
CATALOG += HUB_CATALOG

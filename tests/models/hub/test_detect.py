"""What a repository is and which of its files are needed, from its list of files and one small JSON file."""

from __future__ import annotations

from typing import Any

import pytest

from models.contracts import Task
from models.errors import ModelError
from models.hub.detect import DetectedModel, detect_model
from models.hub.download import HubFile
from models.hub.listing import Repository

MEGABYTE = 1_000_000
VITS = {"model_type": "vits"}
WAN = {"_class_name": "WanPipeline", "_diffusers_version": "0.35", "vae": ["diffusers", "AutoencoderKLWan"]}


def detect(files: str | dict[str, int], content: dict[str, Any]) -> DetectedModel:
    """Detect a repository of these files, all of 1 MB where no sizes are given; `content` is that of the JSON file."""
    sizes = files if isinstance(files, dict) else dict.fromkeys(files.split(), MEGABYTE)
    listed = tuple(HubFile(path, size) for path, size in sizes.items())
    return detect_model(Repository("owner/name", "0" * 40, listed), lambda _path: content)


def names(found: DetectedModel) -> set[str]:
    assert len({file.path for file in found.files}) == len(found.files)
    return {file.path for file in found.files}


def refuse(files: str, content: dict[str, Any], kind: str, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        detect(files, content)
    assert caught.value.kind == kind
    assert str(caught.value).startswith("owner/name") or "of owner/name" in str(caught.value)


# transformers


def test_a_model_of_transformers_needs_weights_and_the_plain_files_beside_them() -> None:
    found = detect(
        "config.json vocab.json merges.txt spm.model chat.jinja model.safetensors README.md flax_model.msgpack "
        "model.safetensors.index.json onnx/model.onnx other/config.json picture.png",
        VITS,
    )
    assert names(found) == {
        "config.json",
        "vocab.json",
        "merges.txt",
        "spm.model",
        "chat.jinja",
        "model.safetensors",
    }
    assert (found.format.name, found.format.task, found.weights_mb) == ("vits", Task.SPEECH, 1.0)
    assert not found.stored_half and found.card == {}


def test_shards_come_with_their_index() -> None:
    shards = {f"model-0000{n}-of-00002.safetensors": 2 * MEGABYTE for n in (1, 2)}
    found = detect({"config.json": 1, "model.safetensors.index.json": 1, **shards}, VITS)
    assert names(found) == {"config.json", "model.safetensors.index.json", *shards}
    assert found.weights_mb == 4.0


def test_a_whole_file_goes_before_shards() -> None:
    found = detect("config.json model.safetensors model-00001-of-00002.safetensors model.safetensors.index.json", VITS)
    assert names(found) == {"config.json", "model.safetensors"}


def test_missing_shards_are_counted() -> None:
    refuse(
        "config.json model-00001-of-00003.safetensors", VITS, "not-found", r"not complete: 2 of 3 parts of the weights"
    )


def test_half_precision_is_taken_only_where_there_is_no_other() -> None:
    files = "config.json model.fp16.safetensors model.non_ema.safetensors"
    assert names(detect(files + " model.safetensors", VITS)) == {"config.json", "model.safetensors"}
    assert "model.fp16.safetensors" in names(detect("config.json model.fp16.safetensors", VITS))


def test_other_names_of_weights_are_all_taken() -> None:
    found = detect("config.json a.safetensors b.safetensors", VITS)
    assert names(found) == {"config.json", "a.safetensors", "b.safetensors"} and found.weights_mb == 2.0


@pytest.mark.parametrize(
    ("config", "half"),
    [
        ({"dtype": "float16"}, True),
        ({"torch_dtype": "bfloat16"}, True),
        ({"torch_dtype": "float16", "dtype": "float32"}, False),
        ({"torch_dtype": "float32"}, False),
        ({}, False),
    ],
)
def test_the_stored_precision_is_that_of_the_configuration(config: dict[str, str], half: bool) -> None:
    assert detect("config.json model.safetensors", VITS | config).stored_half == half


def test_extra_files_of_a_kind_are_taken_where_they_are() -> None:
    found = detect(
        "config.json model.safetensors speaker_embeddings_path.json speaker_embeddings/v2/en_speaker_3_fine_prompt.npy "
        "speaker_embeddings/v2/en_speaker_x_fine_prompt.npy speaker_embeddings/old.npy",
        {"model_type": "bark"},
    )
    assert "speaker_embeddings/v2/en_speaker_3_fine_prompt.npy" in names(found)
    assert not names(found) & {"speaker_embeddings/old.npy", "speaker_embeddings/v2/en_speaker_x_fine_prompt.npy"}


def test_one_model_type_may_be_made_for_several_things() -> None:
    files = "config.json model.safetensors"
    speaks = {"model_type": "speecht5", "architectures": ["SpeechT5ForTextToSpeech"]}
    assert detect(files, speaks).format.task == Task.SPEECH
    converts = speaks | {"architectures": ["SpeechT5ForSpeechToSpeech"]}
    assert detect(files, converts).format.task == Task.STYLE_AUDIO
    refuse(files, speaks | {"architectures": ["SpeechT5ForSpeechToText"]}, "format", "kind speecht5-asr, which")
    assert detect(files, speaks | {"architectures": []}).format.name == "speecht5"
    assert detect(files, speaks | {"architectures": "odd"}).format.name == "speecht5"
    assert detect(files, {"architecture": "vgg19"}).format.task == Task.STYLE_VIDEO


@pytest.mark.parametrize("ending", ["bin", "ckpt", "pt", "pth", "pkl", "msgpack", "h5", "onnx"])
def test_every_format_that_can_run_programs_is_called_so(ending: str) -> None:
    refuse(f"config.json model.{ending}", VITS, "unsafe", "pickle")


@pytest.mark.parametrize(
    ("files", "content", "kind", "says"),
    [
        ("README.md model.safetensors", {}, "format", r"neither config\.json nor model_index\.json"),
        ("config.json model.safetensors", {"model_type": "bert"}, "format", r"kind bert, which .* It runs vits, "),
        ("config.json model.safetensors", {}, "format", "of the kind nothing, which"),
        ("config.json", VITS, "not-found", "not complete: the weights is missing"),
        ("config.json pytorch_model.bin", VITS, "unsafe", "pickle"),
        ("config.json model.ckpt", VITS, "unsafe", "pickle"),
        ("config.json sub/model.bin", VITS, "not-found", "not complete: the weights is missing"),
        ("config.json model.safetensors", VITS | {"auto_map": {}}, "unsafe", "program code"),
        ("config.json model.safetensors", VITS | {"custom_pipelines": {}}, "unsafe", "program code"),
    ],
)
def test_models_that_are_refused(files: str, content: dict[str, Any], kind: str, says: str) -> None:
    refuse(files, content, kind, says)


# diffusers

PIPELINE = "model_index.json vae/config.json vae/diffusion_pytorch_model.safetensors"


def test_a_pipeline_needs_the_files_of_its_parts() -> None:
    index = WAN | {"tokenizer": ["transformers", "T5"], "image_encoder": [None, None], "boundary": 0.9, "odd": ["a"]}
    found = detect(
        f"{PIPELINE} vae/diffusion_pytorch_model.safetensors.index.json vae/old/config.json README.md "
        "tokenizer/tokenizer_config.json tokenizer/spiece.model tokenizer/notes.md assets/clip.mp4 unused/config.json",
        index,
    )
    assert names(found) == {*PIPELINE.split(), "tokenizer/tokenizer_config.json", "tokenizer/spiece.model"}
    assert (found.format.name, found.format.task, found.weights_mb) == ("WanPipeline", Task.VIDEO, 1.0)
    assert not found.stored_half and found.card == {}


def test_shards_of_a_part_come_with_their_index() -> None:
    shards = " ".join(f"vae/diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2))
    index = "vae/diffusion_pytorch_model.safetensors.index.json"
    found = detect(f"model_index.json vae/config.json {index} {shards}", WAN)
    assert names(found) == {"model_index.json", "vae/config.json", index, *shards.split()}
    assert found.weights_mb == 2.0


def test_a_pipeline_is_half_where_all_of_its_parts_are() -> None:
    index = WAN | {"transformer": ["diffusers", "WanTransformer3DModel"]}
    half = "model_index.json vae/config.json vae/diffusion_pytorch_model.fp16.safetensors transformer/config.json"
    assert detect(half + " transformer/diffusion_pytorch_model.fp16.safetensors", index).stored_half
    mixed = detect(half + " transformer/diffusion_pytorch_model.safetensors", index)
    assert not mixed.stored_half and len(names(mixed)) == 5


def test_a_part_may_be_of_a_pipelines_own_module() -> None:
    index = WAN | {"connectors": ["ltx2", "Connectors"]}
    with pytest.raises(ModelError, match="program code"):
        detect(f"{PIPELINE} connectors/config.json connectors/a.safetensors", WAN | {"connectors": ["mine", "A"]})
    with pytest.raises(ModelError, match="program code"):
        detect(f"{PIPELINE} connectors/config.json connectors/a.safetensors", WAN | {"connectors": ["../wan", "A"]})
    index["connectors"] = ["wan", "Connectors"]  # diffusers has a folder of this name
    assert "connectors/a.safetensors" in names(
        detect(f"{PIPELINE} connectors/config.json connectors/a.safetensors", index)
    )


@pytest.mark.parametrize(
    ("files", "changes", "kind", "says"),
    [
        (PIPELINE, {"_class_name": ["pipeline", "Own"]}, "unsafe", "program code"),
        (PIPELINE, {"_class_name": "OtherPipeline"}, "format", "kind OtherPipeline, which"),
        (PIPELINE, {"auto_map": {}}, "unsafe", "program code"),
        (PIPELINE + " vae/diffusers.py", {}, "unsafe", "program code"),
        (PIPELINE, {"unet": ["diffusers", "UNet"]}, "not-found", "not complete: unet/ is missing"),
        (PIPELINE + " unet/a.safetensors", {"unet": ["diffusers", "A"]}, "not-found", r"complete: unet/config\.json "),
        (
            PIPELINE + " unet/config.json",
            {"unet": ["diffusers", "A"]},
            "not-found",
            "complete: the weights in unet/ is",
        ),
        (PIPELINE + " unet/config.json unet/a.bin", {"unet": ["diffusers", "A"]}, "unsafe", "weights in unet/ only"),
    ],
)
def test_pipelines_that_are_refused(files: str, changes: dict[str, Any], kind: str, says: str) -> None:
    refuse(files, WAN | changes, kind, says)


# native weights

CARD = {"kind": "speech/tacotron2", "files": ["a.safetensors", "b.safetensors"], "title": "Mine"}


def test_native_weights_are_what_their_card_names() -> None:
    found = detect("auralume.json a.safetensors b.safetensors c.safetensors config.json model_index.json", CARD)
    assert names(found) == {"auralume.json", "a.safetensors", "b.safetensors"}
    assert (found.weights_mb, found.stored_half, found.card) == (2.0, True, CARD)
    assert found.format.task == Task.SPEECH


@pytest.mark.parametrize(
    ("files", "changes", "kind", "says"),
    [
        ("auralume.json", {"kind": "speech/other"}, "format", "kind speech/other, which"),
        ("auralume.json", {"files": []}, "format", "names no files"),
        ("auralume.json", {"files": "a.safetensors"}, "format", "names no files"),
        ("auralume.json a.safetensors", {"files": ["a.safetensors", 3]}, "format", "names no files"),
        ("auralume.json a.safetensors", {}, "not-found", r"not complete: b\.safetensors is missing"),
        ("auralume.json a.bin", {"files": ["a.bin"]}, "unsafe", "pickle"),
        ("auralume.json", {"files": list("abcde")}, "not-found", "not complete: a, b, c is missing"),
    ],
)
def test_native_weights_that_are_refused(files: str, changes: dict[str, Any], kind: str, says: str) -> None:
    refuse(files, CARD | changes, kind, says)


def test_a_card_without_a_kind_is_refused() -> None:
    refuse("auralume.json", {"files": ["a"]}, "format", "kind nothing, which")

"""Open a downloaded pipeline of diffusers in the way that fits this machine, also with a quantised denoiser (GGUF)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.backends.device_placement import Placement, choose_placement, place_pipeline, store_in_eight_bits
from models.backends.library import (
    explain_missing,
    find_variant,
    get_main_hub,
    import_backend,
    import_library,
    open_pretrained,
    read_json,
    report_unfitting,
)
from models.backends.memory_plan import DENOISERS, measure_size
from models.errors import ModelError
from models.hub.formats import Format
from models.hub.spec import GGUF, QUANTISED, ModelSpec

PROCESSOR = "Qwen2VLProcessor"


def open_pipeline(
    files: Mapping[str, Path],
    spec: ModelSpec,
    folder: Path,
    kind: Format,
    prefer: str = "bfloat16",
    draws: bool = True,
) -> tuple[Any, Placement, tuple[str, ...]]:
    """Return a pipeline that is ready, where it runs, and a sentence about what spares memory.

    Args:
        folder: where its repository lies.
        prefer: the half precision on a GPU.
        draws: whether it makes pictures.

    Raises:
        ModelError: a package is missing, or the files do not fit the installed library.
    """
    made, variant = import_backend(kind), find_variant(get_main_hub(spec))
    gguf = find_quantised(files)
    placement = choose_placement(prefer, measure_size(folder, gguf))
    parts: dict[str, Any] = {}
    if gguf is not None:
        parts[QUANTISED] = _open_quantised(folder, gguf, placement)
    if placement.float8:  # before the other parts are read, so that they never lie beside the denoiser as it was
        for name in DENOISERS:
            if name not in parts and (folder / name).is_dir():
                part = open_pretrained(
                    _find_class(folder, name),
                    folder / name,
                    use_safetensors=True,
                    dtype=placement.dtype,
                    variant=variant,
                )
                store_in_eight_bits(part, placement)
                parts[name] = part
    tokenizers = _open_tokenizers(folder)
    parts |= dict.fromkeys(tokenizers)
    pipeline = open_pretrained(made, folder, use_safetensors=True, dtype=placement.dtype, variant=variant, **parts)
    pipeline.register_modules(**tokenizers)
    return pipeline, placement, place_pipeline(pipeline, placement, draws)


def find_quantised(files: Mapping[str, Path]) -> Path | None:
    """Return the quantised file among those of an entry; None where there is none."""
    return next((path for name, path in files.items() if name.endswith(GGUF)), None)


def _open_tokenizers(folder: Path) -> dict[str, Any]:
    """Return the tokenizers of processors: a prompt is words, and what reads pictures would ask for more packages."""
    index = read_json(folder / "model_index.json")
    named = [part for part, made_of in index.items() if isinstance(made_of, list) and made_of[1:] == [PROCESSOR]]
    tokenizer = import_library("transformers").AutoTokenizer
    return {part: open_pretrained(tokenizer, folder / part) for part in named if "tokenizer" in part}


def _find_class(folder: Path, part: str) -> Any:
    """Return the class of a network of diffusers, as the pipeline's index names it."""
    named = read_json(folder / "model_index.json").get(part)
    found = getattr(import_library("diffusers"), str(named[1]), None) if isinstance(named, list) else None
    if found is None:
        raise ModelError(f"The installed version of diffusers cannot open the part {part} of this model.", "loader")
    return found


def _open_quantised(folder: Path, gguf: Path, placement: Placement) -> Any:
    """Open a denoiser whose weights are quantised blocks; each layer is widened while it computes."""
    made = _find_class(folder, QUANTISED)
    if not hasattr(made, "from_single_file"):
        raise ModelError(
            f"diffusers reads no quantised files (GGUF) for {made.__name__}. Use the model as it is.", "format"
        )
    with explain_missing("gguf"):
        import gguf as _installed  # noqa: F401
    diffusers = import_library("diffusers")
    with report_unfitting():
        return made.from_single_file(
            str(gguf),
            config=str(folder),
            subfolder=QUANTISED,
            quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=placement.dtype),
            dtype=placement.dtype,
            local_files_only=True,
        )

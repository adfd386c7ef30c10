"""Reading and writing weight files; nothing that is read can run code.

safetensors holds plain arrays only. Checkpoints of torch are pickles, which could run anything: they are opened by
torch's weights-only reader, which refuses all but tensors and plain containers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from models.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Network = TypeVar("Network", bound="Module")
Result = TypeVar("Result")

_NAMED_KEYS = 3


def load_safetensors(path: Path) -> dict[str, Tensor]:
    """Return tensors by name; half precision comes back as float32, other types as they are.

    Raises:
        ModelError: the file is missing, cut short, damaged, or not a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except MemoryError:
        raise
    except OSError as error:
        raise _unreadable(path) from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path) from error
    return _to_float32(state)


def load_metadata(path: Path) -> dict[str, str]:
    """Return the text that `save_safetensors` was given, without reading the tensors.

    Raises:
        ModelError: as `load_safetensors`.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except OSError as error:
        raise _unreadable(path) from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path) from error


def parse_metadata(
    path: Path, build: Callable[..., Result], names: Sequence[str], optional: Sequence[str] = ()
) -> Result:
    """Build something from JSON values in a weight file's metadata.

    Args:
        build: called with the values of `names`, then of `optional`, in this order.
        names: entries that must be there.
        optional: entries that may be missing; `build` then gets None.

    Raises:
        ModelError: as `load_safetensors`; or an entry is missing or is not what `build` takes.
    """
    text = load_metadata(path)
    try:
        values = [json.loads(text[name]) for name in names]
        values += [json.loads(text[name]) if name in text else None for name in optional]
        return build(*values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"The weight file {path.name} is of another kind or does not say what it holds. Get it again.", "weights"
        ) from error


def load_network(path: Path, build: Callable[[Any], Network], what: str) -> Network:
    """Build a network from the `config` in a weight file's metadata, and load its weights, ready for inference.

    Args:
        build: makes the network from the configuration's plain values.
        what: what the network is, for messages, e.g. "the upscaler".

    Raises:
        ModelError: as `parse_metadata` and `load_into`.
    """
    network = parse_metadata(path, build, ["config"])
    load_into(network, load_safetensors(path), f"{what} in {path.name}")
    return network.eval()


def load_torch(path: Path) -> dict[str, Any]:
    """Return a checkpoint of `torch.save` as a dict on the CPU; half precision at its top level becomes float32.

    Raises:
        ModelError: the file is missing, cut short, damaged, foreign, holds code, or holds something else than a dict.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except OSError as error:
        raise _unreadable(path) from error
    except Exception as error:  # the reader raises whatever a broken archive or pickle makes it stumble over
        if "GLOBAL" in str(error):  # the reader names the function that the pickle wanted to call
            raise ModelError(
                f"{path.name} holds more than numbers and was refused, because such a file could run a program. "
                "Choose another model.",
                "weights",
            ) from error
        raise _damaged(path) from error
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise _damaged(path)
    return _to_float32(state)


def save_safetensors(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors in half precision (whole numbers and booleans as they are), complete or not at all.

    Raises:
        ValueError: a value is not finite, or too large for half precision.
    """
    import torch
    from safetensors.torch import save_file

    packed = {}
    for name, tensor in state.items():
        value = tensor.detach().cpu()
        if value.is_floating_point():
            value = value.to(torch.float16)
            if not torch.isfinite(value).all():
                raise ValueError(f"{name} has values that half precision cannot hold.")
        packed[name] = value.clone().contiguous()  # a clone of its own: safetensors refuses shared memory
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    save_file(packed, part, metadata=dict(metadata or {}))
    part.replace(path)


def load_into(module: Module, state: Mapping[str, Tensor], what: str) -> None:
    """Copy a state into a module of exactly these names and shapes.

    Args:
        what: what the state is, for the message, e.g. "the acoustic model in speech_tacotron2.safetensors".

    Raises:
        ModelError: names what is missing, unexpected or of another shape; the module is left as it was.
    """
    wanted = module.state_dict()
    reshaped = [
        f"{name} is {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted.keys() & state.keys()
        if state[name].shape != wanted[name].shape
    ]
    problems = [
        _name_some("missing", wanted.keys() - state.keys()),
        _name_some("unexpected", state.keys() - wanted.keys()),
        _name_some("of another shape", reshaped),
    ]
    found = "; ".join(problem for problem in problems if problem)
    if found:
        raise ModelError(f"The weights do not fit {what} ({found}). They belong to another version.", "weights")
    module.load_state_dict(dict(state))


def _to_float32(state: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    half = {torch.float16, torch.bfloat16}
    return {
        name: value.float() if isinstance(value, torch.Tensor) and value.dtype in half else value
        for name, value in state.items()
    }


def _name_some(problem: str, names: Iterable[str]) -> str:
    ordered = sorted(names)
    if not ordered:
        return ""
    more = f" and {len(ordered) - _NAMED_KEYS} more" if len(ordered) > _NAMED_KEYS else ""
    return f"{problem}: {', '.join(ordered[:_NAMED_KEYS])}{more}"


def _unreadable(path: Path) -> ModelError:
    return ModelError(
        f"The weight file {path.name} is missing or cannot be read. Get the studio's files again.", "weights"
    )


def _damaged(path: Path) -> ModelError:
    return ModelError(
        f"The weight file {path.name} is damaged or of another kind. Delete it and get it again.", "weights"
    )

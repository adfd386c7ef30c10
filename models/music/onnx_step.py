"""The Music Transformer one token at a time in onnxruntime: what `models.music.kv_cache` computes, in a quarter of the
time.

A step of so small a network is mostly calls: a graph that runs as a whole makes none of them from Python. The weights
are bytes (one scale an output row), inputs are quantised as they come, attention is in float32. Weights are unsigned,
because processors without VNNI add products of signed ones in sixteen bits, which would overflow. Keys and values lie
in memory that is there from the start and that the graph writes into in place.

Letters: B batch, N new tokens, C capacity, H heads, D width of a head, padded to a multiple of 16, W width,
V vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.backends.library import explain_missing
from models.backends.onnx_session import import_runtime, make_options
from models.memory import allocate_pages
from models.music.kv_cache import CachedTransformer, check_room, is_int8_available
from models.music.musical_context import MusicalContext
from models.music.transformer import Layer, MusicTransformer, MusicTransformerConfig, compute_rotary_angles

PROMPT_TOKENS = 512  # at once; what a longer first prompt has beyond them comes one by one
HEAD_MULTIPLE = 16
MIDDLE = 128  # of the bytes: zero
Array = NDArray[Any]


class _GraphBuilder:
    """Nodes and weights of a graph, named by where they stand."""

    def __init__(self, config: MusicTransformerConfig) -> None:
        with explain_missing("onnx"):
            import onnx
            import onnx.helper
            import onnx.numpy_helper
        self.onnx: Any = onnx
        self.config = config
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add_weight(self, name: str, values: Array) -> str:
        """Add a constant; return its name."""
        self.weights.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, inputs: list[str], *outputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its first output."""
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, list(outputs), domain=domain, **attributes))
        return outputs[0]

    def multiply(self, x: str, weight: Array, bias: Array, name: str) -> str:
        """Add a map x (..., in) to (..., out) by weight (out, in) as bytes."""
        scales = np.maximum(np.abs(weight).max(axis=1), 1e-8) / 127.0
        rounded = (np.rint(weight / scales[:, None]) + MIDDLE).astype(np.uint8)
        inputs = [
            x,
            self.add_weight(f"{name}.weight", rounded.T),
            self.add_weight(f"{name}.scales", scales.astype(np.float32)),
            self.add_weight(f"{name}.middle", np.array(MIDDLE, dtype=np.uint8)),
            self.add_weight(f"{name}.bias", bias),
        ]
        return self.add("DynamicQuantizeMatMul", inputs, f"{name}.out", domain="com.microsoft")

    def normalise(self, x: str, norm: nn.LayerNorm, name: str) -> str:
        """Add a layer normalisation."""
        weight, bias = (self.add_weight(f"{name}.{i}", _read(each)) for i, each in enumerate((norm.weight, norm.bias)))
        return self.add("LayerNormalization", [x, weight, bias], f"{name}.out", axis=-1, epsilon=norm.eps)

    def add_layer(self, x: str, layer: Layer, index: int) -> str:
        """Add attention over the past and a feed-forward network to x (B, N, W)."""
        name, config, attention = f"layers.{index}", self.config, layer.attention
        halves = (3, config.heads, 2, config.head_dim // 2)
        padding = [(0, 0), (0, 0), (0, 0), (0, (count_padded(config) - config.head_dim) // 2)]
        weight = np.pad(_read(attention.qkv.weight).reshape(*halves, -1), [*padding, (0, 0)])
        bias = np.pad(_read(attention.qkv.bias).reshape(halves), padding)
        out = np.pad(_read(attention.out.weight).reshape(-1, *halves[1:]), padding)
        normal = self.normalise(x, layer.attention_norm, f"{name}.attention_norm")
        qkv = self.multiply(normal, weight.reshape(-1, config.width), bias.reshape(-1), f"{name}.qkv")
        past = [f"{name}.past_keys", f"{name}.past_values"]
        attended = self.add(
            "GroupQueryAttention",
            [qkv, "", "", *past, "lengths", "total", "cosines", "sines"],
            f"{name}.attended",
            f"{name}.keys",
            f"{name}.values",
            domain="com.microsoft",
            num_heads=config.heads,
            kv_num_heads=config.heads,
            do_rotary=1,
            scale=config.head_dim**-0.5,
        )
        added = self.multiply(attended, out.reshape(config.width, -1), _read(attention.out.bias), f"{name}.projected")
        x = self.add("Add", [x, added], f"{name}.after_attention")
        normal = self.normalise(x, layer.feedforward_norm, f"{name}.feedforward_norm")
        up = self.multiply(normal, _read(layer.up.weight), _read(layer.up.bias), f"{name}.up")
        down = self.multiply(
            self.add("Relu", [up], f"{name}.relu"), _read(layer.down.weight), _read(layer.down.bias), f"{name}.down"
        )
        return self.add("Add", [x, down], f"{name}.after_feedforward")

    def serialise(self) -> bytes:
        """Return the graph as a file's bytes."""
        helper, kinds, config = self.onnx.helper, self.onnx.TensorProto, self.config
        shape: list[Any] = ["B", config.heads, "C", count_padded(config)]

        def declare(name: str, kind: int, shape: list[Any]) -> Any:
            return helper.make_tensor_value_info(name, kind, shape)

        inputs = [
            declare("tokens", kinds.INT64, ["B", "N"]),
            declare("lengths", kinds.INT32, ["B"]),
            declare("total", kinds.INT32, [1]),
            *(declare(name, kinds.FLOAT, ["C", shape[-1] // 2]) for name in ("cosines", "sines")),
        ]
        outputs = [declare("logits", kinds.FLOAT, ["B", "N", config.n_tokens])]
        for index in range(config.layers):
            for kind in ("keys", "values"):
                inputs.append(declare(f"layers.{index}.past_{kind}", kinds.FLOAT, shape))
                outputs.append(declare(f"layers.{index}.{kind}", kinds.FLOAT, shape))
        graph = helper.make_graph(self.nodes, "music_transformer", inputs, outputs, self.weights)
        versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=9)
        return bytes(model.SerializeToString())


def _read(parameter: Tensor) -> Array:
    return np.asarray(parameter.detach().float().numpy())


def count_padded(config: MusicTransformerConfig) -> int:
    """Return the width of a head as the graph has it: zeros fill it up."""
    return -(-config.head_dim // HEAD_MULTIPLE) * HEAD_MULTIPLE


def build_graph(model: MusicTransformer) -> bytes:
    """Build the ONNX graph of a network with rotary positions.

    Raises:
        ValueError: the network has other positions.
        ModelError: `onnx` is not installed.
    """
    if model.config.position != "rotary":
        raise ValueError(f"position is {model.config.position!r}; the graph is of rotary ones.")
    builder = _GraphBuilder(model.config)
    embedding = _read(model.embedding.weight)
    x = builder.add("Gather", [builder.add_weight("embedding", embedding), "tokens"], "embedded")
    for index, layer in enumerate(model.layers):
        x = builder.add_layer(x, layer, index)  # type: ignore[arg-type]
    normal = builder.normalise(x, model.norm, "norm")
    builder.add("MatMul", [normal, builder.add_weight("head", embedding.T)], "logits")
    return builder.serialise()


class _Binding(NamedTuple):
    """A way into the graph: what it reads, and where the logits (B, N, V) come out."""

    binding: Any
    tokens: NDArray[np.int64]
    logits: NDArray[np.float32]


class OnnxCache:
    """The past of a batch of sequences, each from its own beginning.

    Attributes:
        keys_values: float32 (layers, 2, B, H, C, D).
        lengths: int32 (B,), how many tokens of each sequence are in.
        used: how many tokens are in, padding counted.
    """

    def __init__(self, config: MusicTransformerConfig, batch: int, capacity: int) -> None:
        shape = (config.layers, 2, batch, config.heads, capacity, count_padded(config))
        self.keys_values = allocate_pages(shape, np.float32)
        self.capacity, self.used = capacity, 0
        self.lengths = np.zeros(batch, np.int32)
        self.last, self.total = np.zeros(batch, np.int32), np.zeros(1, np.int32)  # as the graph counts them
        angles = np.zeros((capacity, shape[-1] // 2), np.float32)
        angles[:, : config.head_dim // 2] = compute_rotary_angles(
            torch.arange(capacity), config.head_dim, config.rotary_base
        ).numpy()
        self.cosines, self.sines = np.cos(angles), np.sin(angles)
        self.step: _Binding | None = None

    def clear(self) -> None:
        """Free the memory; the cache cannot be used again."""
        self.step = None
        self.keys_values = np.zeros(0, np.float32)
        self.capacity = self.used = 0


class OnnxTransformer:
    """A trained `MusicTransformer`'s function for sampling on a CPU, as `CachedTransformer` has it.

    Raises:
        ValueError: the network has no rotary positions.
        ModelError: onnxruntime or `onnx` is not installed.
    """

    features = None

    def __init__(self, model: MusicTransformer) -> None:
        runtime = import_runtime()
        self.config = model.config
        options = make_options(runtime)
        options.intra_op_num_threads = 1  # a step is too small to be shared
        self.session: Any = runtime.InferenceSession(build_graph(model), options, providers=["CPUExecutionProvider"])

    def new_cache(self, batch: int, capacity: int) -> OnnxCache:
        """Make an empty past for `batch` sequences of at most `capacity` tokens, padding counted."""
        return OnnxCache(self.config, batch, capacity)

    def append(
        self,
        tokens: Tensor,
        cache: OnnxCache,
        padding: Tensor | None = None,
        context: MusicalContext | None = None,
    ) -> Tensor:
        """Take new tokens into the cache and say what may follow the last.

        Args:
            tokens: int64 (B, N).
            padding: bool (B, N), True for padding on the left of the first tokens.
            context: not for these positions.

        Returns:
            float32 (B, V), the logits after the last token; valid until the next call.

        Raises:
            ValueError: the cache cannot hold so many, or there is padding after the first tokens.
        """
        values = tokens.numpy()
        batch, new = values.shape
        check_room(cache, new)
        if cache.used == 0 and new > 1:
            counts = np.full(batch, new) if padding is None else (~padding).sum(dim=1).numpy()
            logits = self._take_prompt(values, counts, cache)
        elif padding is not None and bool(padding.any()):
            raise ValueError("padding may stand before the first tokens only.")
        else:
            for at in range(new):
                logits = self._take_step(values[:, at], np.ones(batch, np.bool_), cache)
        cache.used += new
        return torch.from_numpy(logits)

    def _take_prompt(self, values: Array, counts: Array, cache: OnnxCache) -> NDArray[np.float32]:
        """Take first tokens (B, N), of which each row's last `counts` are its own; return the logits (B, V)."""
        batch, new = values.shape
        whole = min(int(counts.min()), PROMPT_TOKENS)
        prompt = self._bind(cache, whole)
        starts = new - counts
        for row, start in enumerate(starts):
            prompt.tokens[row] = values[row, start : start + whole]
        cache.last[:], cache.total[:] = whole - 1, whole
        self.session.run_with_iobinding(prompt.binding)
        cache.lengths[:] = whole
        logits = prompt.logits[:, -1].copy()
        for at in range(whole, int(counts.max())):
            goes_on = at < counts
            here = values[np.arange(batch), np.minimum(starts + at, new - 1)]
            logits[goes_on] = self._take_step(here, goes_on, cache)[goes_on]
        return logits

    def _take_step(self, tokens: Array, goes_on: NDArray[np.bool_], cache: OnnxCache) -> NDArray[np.float32]:
        """Take one token (B,) of each sequence that goes on; what the others get is written over by their next."""
        cache.step = step = cache.step or self._bind(cache, 1)
        step.tokens[:, 0] = tokens
        cache.last[:], cache.total[:] = cache.lengths, cache.lengths.max() + 1
        self.session.run_with_iobinding(step.binding)
        cache.lengths += goes_on
        return step.logits[:, 0]

    def _bind(self, cache: OnnxCache, new: int) -> _Binding:
        """Tell the graph where a cache's memory is, for steps of `new` tokens."""
        batch = len(cache.lengths)
        step = _Binding(
            self.session.io_binding(),
            np.zeros((batch, new), np.int64),
            np.zeros((batch, new, self.config.n_tokens), np.float32),
        )
        inputs: dict[str, Array] = {
            "tokens": step.tokens,
            "lengths": cache.last,
            "total": cache.total,
            "cosines": cache.cosines,
            "sines": cache.sines,
        }
        outputs: dict[str, Array] = {"logits": step.logits}
        for index, pair in enumerate(cache.keys_values):
            for kind, values in zip(("keys", "values"), pair, strict=True):
                inputs[f"layers.{index}.past_{kind}"] = outputs[f"layers.{index}.{kind}"] = values
        for bind, arrays in ((step.binding.bind_input, inputs), (step.binding.bind_output, outputs)):
            for name, array in arrays.items():
                bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        return step


def make_step_network(model: MusicTransformer) -> CachedTransformer | OnnxTransformer:
    """Return the fastest way to sample with a network on this machine."""
    if model.config.position == "rotary":
        return OnnxTransformer(model)
    return CachedTransformer(model, "int8" if is_int8_available() else "float32")

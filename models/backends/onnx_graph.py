"""ONNX graphs in the wire format of protocol buffers: read what they are made of, refuse what is not safe, add to them.

The studio needs a graph's nodes and names alone, which a few fields of the wire format tell; the package `onnx` is not
needed. Field numbers are those of `onnx.proto` (ONNX IR specification, https://github.com/onnx/onnx).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import ModelError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
DEEPEST = 12  # graphs within graphs
KNOWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
"""Domains of operators that onnxruntime brings itself."""
INT64, FLOAT = 7, 1
NOISE_INPUT = "auralume_noise"
NOISE_COUNT = 2**18
NOISE_STRIDE = 65_537  # between the noise of two nodes


class DamagedGraph(ValueError):
    """Bytes that are no message."""


@dataclass(frozen=True)
class OnnxNode:
    """A node of the outermost graph: what it does, its values by name, and its place in the file as [start, end)."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    span: tuple[int, int]
    is_plain: bool = True


@dataclass
class OnnxGraph:
    """What a file holds.

    Attributes:
        nodes: of the outermost graph, in order.
        inputs, outputs: names of the outermost graph's values.
        domains: of all operators, those of inner graphs and functions too.
        has_external_data: whether a tensor lies in another file.
        start: where the tag of the outermost graph stands in the file.
        span: where that graph itself stands, without its tag and length.
    """

    nodes: list[OnnxNode] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    domains: set[str] = field(default_factory=set)
    has_external_data: bool = False
    start: int = 0
    span: tuple[int, int] = (0, 0)

    def find_outputs(self, operator: str, after: str = "") -> list[str]:
        """Return the first output of each node of an operator, of those alone that read what another one made."""
        made = {name for node in self.nodes if node.operator == after for name in node.outputs}
        found = [node for node in self.nodes if node.operator == operator and node.outputs]
        return [node.outputs[0] for node in found if not after or made.intersection(node.inputs)]


def read_graph(data: bytes) -> OnnxGraph:
    """Read a model.

    Raises:
        DamagedGraph: these bytes are no model, or hold no graph or several.
    """
    graph = OnnxGraph()
    count = 0
    for number, kind, value, start in _iter_places(data, 0, len(data)):
        if number == 7 and kind == BYTES:
            count += 1
            graph.start, graph.span = start, value
            _read_outer_graph(data, value, graph)
        elif number == 25 and kind == BYTES:
            _look_at_function(data, value, graph)
    if count != 1 or not graph.nodes:
        raise DamagedGraph("not one graph")
    return graph


def check_graph(graph: OnnxGraph, title: str) -> None:
    """Refuse a graph that needs more than onnxruntime and its own file.

    Raises:
        ModelError: it keeps tensors in other files, or has operators of its own.
    """
    if graph.has_external_data:
        raise ModelError(
            f"{title} keeps its weights outside its ONNX graph, in files that the graph names itself. The studio reads "
            "only graphs that are whole. Choose another model.",
            "unsafe",
        )
    foreign = sorted(graph.domains.difference(KNOWN_DOMAINS))
    if foreign:
        raise ModelError(
            f"{title} has operators of its own ({', '.join(foreign[:3])}), which would need program code of its "
            "author. The studio never runs that. Choose another model.",
            "unsafe",
        )


def load_graph(path: Path, title: str) -> tuple[bytes, OnnxGraph]:
    """Return a file and what it holds, checked.

    Raises:
        ModelError: it is damaged, or not safe.
    """
    try:
        data = path.read_bytes()
        graph = read_graph(data)
    except (OSError, DamagedGraph) as error:
        raise ModelError(f"{path.name} of {title} is damaged. Delete the model and get it again.", "weights") from error
    check_graph(graph, title)
    return data, graph


def add_outputs(data: bytes, names: Sequence[str]) -> bytes:
    """Return a model that also gives inner values, floats, as outputs; protocol buffers join a message's halves."""
    graph = b"".join(_write(12, _write(1, name.encode()) + _write(2, _write(1, _number(1, FLOAT)))) for name in names)
    return data + _write(7, graph) if names else data


def take_noise(data: bytes, graph: OnnxGraph) -> tuple[bytes, bool]:
    """Return a model whose standard normal noise comes from an input, and whether it has any.

    onnxruntime goes on drawing from one row of random numbers as long as a session lives. With this, the noise of every
    `RandomNormalLike` is read from the input `NOISE_INPUT` (NOISE_COUNT,), over and over where it needs more, so that
    equal requests give equal sound. Noise that is scaled, or of another operator, stays as it is.
    """
    noisy = [node for node in graph.nodes if node.operator == "RandomNormalLike" and node.is_plain]
    if not noisy:
        return data, False
    start, end = graph.span
    parts, at = [], start
    for number, node in enumerate(noisy):
        parts += [data[at : node.span[0]], _make_noise_nodes(node, number)]
        at = node.span[1]
    parts += [data[at:end], _make_noise_input()]
    return data[: graph.start] + _write(7, b"".join(parts)) + data[end:], True


def _make_noise_nodes(node: OnnxNode, number: int) -> bytes:
    """Write nodes that give noise of the shape of a node's input under the name of its output."""
    own = f"auralume/{number}/"
    offset = f"{NOISE_INPUT}/offset/{number}"
    rows = (
        ("Shape", [node.inputs[0]], own + "shape"),
        ("Size", [node.inputs[0]], own + "size"),
        ("Range", [f"{NOISE_INPUT}/zero", own + "size", f"{NOISE_INPUT}/one"], own + "places"),
        ("Add", [own + "places", offset], own + "moved"),
        ("Mod", [own + "moved", f"{NOISE_INPUT}/count"], own + "turned"),
        ("Gather", [NOISE_INPUT, own + "turned"], own + "flat"),
        ("Reshape", [own + "flat", own + "shape"], node.outputs[0]),
    )
    written = b"".join(
        _write(
            1,
            b"".join(_write(1, name.encode()) for name in inputs)
            + _write(2, output.encode())
            + _write(4, operator.encode()),
        )
        for operator, inputs, output in rows
    )
    return written + _make_whole_number(offset, number * NOISE_STRIDE)


def _make_noise_input() -> bytes:
    shape = _write(2, _write(1, _number(1, NOISE_COUNT)))
    value = _write(1, NOISE_INPUT.encode()) + _write(2, _write(1, _number(1, FLOAT) + shape))
    constants = (("zero", 0), ("one", 1), ("count", NOISE_COUNT))
    return _write(11, value) + b"".join(_make_whole_number(f"{NOISE_INPUT}/{name}", each) for name, each in constants)


def _make_whole_number(name: str, value: int) -> bytes:
    return _write(5, _number(2, INT64) + _write(8, name.encode()) + _write(9, struct.pack("<q", value)))


def _read_outer_graph(data: bytes, span: tuple[int, int], graph: OnnxGraph) -> None:
    for number, kind, value, start in _iter_places(data, *span):
        if kind != BYTES:
            continue
        if number == 1:
            graph.nodes.append(_read_node(data, value, start, graph))
        elif number in {11, 12}:
            (graph.inputs if number == 11 else graph.outputs).append(_read_name(data, value))
        else:
            _look_at_part(data, number, value, graph)


def _look_at_part(data: bytes, number: int, span: tuple[int, int], graph: OnnxGraph) -> None:
    """Look for external data in a tensor of a graph, dense or sparse."""
    if number == 5:
        _look_at_tensor(data, span, graph)
    elif number == 15:
        _look_at_sparse(data, span, graph)


def _read_node(data: bytes, span: tuple[int, int], start: int, graph: OnnxGraph, depth: int = 0) -> OnnxNode:
    """Return a node whose tag is at `start`, and look into the tensors and graphs that it holds."""
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: list[tuple[str, int]] = []
    operator = domain = ""
    for number, kind, value in _iter_fields(data, *span):
        if kind != BYTES:
            continue
        if number in {1, 2}:
            (inputs if number == 1 else outputs).append(_decode(data, value))
        elif number == 4:
            operator = _decode(data, value)
        elif number == 7:
            domain = _decode(data, value)
        elif number == 5:
            attributes.append(_read_attribute(data, value, graph, depth + 1))
    graph.domains.add(domain)
    is_plain = all(name == "dtype" and whole == FLOAT for name, whole in attributes) and len(inputs) == 1
    return OnnxNode(operator, tuple(inputs), tuple(outputs), (start, span[1]), is_plain)


def _read_attribute(data: bytes, span: tuple[int, int], graph: OnnxGraph, depth: int) -> tuple[str, int]:
    """Return an attribute's name and its whole number, and look into the tensors and graphs that it holds."""
    name, whole = "", 0
    for number, kind, value in _iter_fields(data, *span):
        if number == 3 and kind == VARINT:
            whole = value[0]
        elif kind != BYTES:
            continue
        elif number == 1:
            name = _decode(data, value)
        elif number in {5, 10}:
            _look_at_tensor(data, value, graph)
        elif number in {22, 23}:
            _look_at_sparse(data, value, graph)
        elif number in {6, 11}:
            _look_at_graph(data, value, graph, depth)
    return name, whole


def _look_at_graph(data: bytes, span: tuple[int, int], graph: OnnxGraph, depth: int) -> None:
    if depth > DEEPEST:
        raise DamagedGraph("graphs within graphs")
    for number, kind, value, start in _iter_places(data, *span):
        if kind == BYTES and number == 1:
            _read_node(data, value, start, graph, depth)
        elif kind == BYTES:
            _look_at_part(data, number, value, graph)


def _look_at_function(data: bytes, span: tuple[int, int], graph: OnnxGraph) -> None:
    """Look at a function's nodes; the domain that it is called by is one of the model's own, and is refused as such."""
    for number, kind, value, start in _iter_places(data, *span):
        if kind == BYTES and number == 7:
            _read_node(data, value, start, graph, 1)


def _look_at_sparse(data: bytes, span: tuple[int, int], graph: OnnxGraph) -> None:
    for number, kind, value in _iter_fields(data, *span):
        if kind == BYTES and number in {1, 2}:
            _look_at_tensor(data, value, graph)


def _look_at_tensor(data: bytes, span: tuple[int, int], graph: OnnxGraph) -> None:
    for number, kind, value in _iter_fields(data, *span):
        if (number == 13 and kind == BYTES) or (number == 14 and kind == VARINT and value[0]):
            graph.has_external_data = True


def _read_name(data: bytes, span: tuple[int, int]) -> str:
    found = ""
    for number, kind, value in _iter_fields(data, *span):
        if number == 1 and kind == BYTES:
            found = _decode(data, value)
    return found


def _decode(data: bytes, span: tuple[int, int]) -> str:
    try:
        return data[span[0] : span[1]].decode()
    except UnicodeDecodeError as error:
        raise DamagedGraph("a name is no text") from error


def _iter_fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Yield number, wire type and value of each field: [start, end) of bytes, or the number and its end."""
    for number, kind, value, _ in _iter_places(data, at, end):
        yield number, kind, value


def _iter_places(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, tuple[int, int], int]]:
    """Yield what `_iter_fields` does, and where each field's tag begins."""
    while at < end:
        start = at
        tag, at = _read_varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise DamagedGraph("a field without number")
        if kind == VARINT:
            whole, at = _read_varint(data, at, end)
            yield number, kind, (whole, at), start
            continue
        if kind == BYTES:
            size, at = _read_varint(data, at, end)
        elif kind in {FIXED64, FIXED32}:
            size = 8 if kind == FIXED64 else 4
        else:
            raise DamagedGraph(f"wire type {kind}")
        if size > end - at:
            raise DamagedGraph("a field is longer than what is there")
        yield number, kind, (at, at + size), start
        at += size


def _read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise DamagedGraph("a number does not end")


def _write_varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _number(number: int, value: int) -> bytes:
    return _write_varint(number << 3 | VARINT) + _write_varint(value)


def _write(number: int, content: bytes) -> bytes:
    return _write_varint(number << 3 | BYTES) + _write_varint(len(content)) + content

"""ONNX graphs in their wire format: what is read of any bytes, what is refused, and what is added."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from models.backends.onnx_graph import (
    DEEPEST,
    NOISE_COUNT,
    NOISE_INPUT,
    DamagedGraph,
    add_outputs,
    check_graph,
    load_graph,
    read_graph,
    take_noise,
)
from models.errors import ModelError
from tests.tiny_models import tiny

PIPER = tiny("piper")["en_US-tom-medium.onnx"]
KOKORO = tiny("kokoro")["onnx/model.onnx"]


def change(model: bytes, work: Callable[[Any], None]) -> bytes:
    made = onnx.load_from_string(model)
    work(made)
    return bytes(made.SerializeToString())


def run(model: bytes, outputs: list[str] | None = None, **values: Any) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return [np.asarray(each) for each in session.run(outputs, values)]


def test_a_graph_is_read_as_the_package_onnx_reads_it() -> None:
    for data in (PIPER, KOKORO):
        graph, model = read_graph(data), onnx.load_from_string(data)
        assert [node.operator for node in graph.nodes] == [node.op_type for node in model.graph.node]
        assert [node.inputs for node in graph.nodes] == [tuple(node.input) for node in model.graph.node]
        assert [node.outputs for node in graph.nodes] == [tuple(node.output) for node in model.graph.node]
        assert graph.inputs == [each.name for each in model.graph.input]
        assert graph.outputs == [each.name for each in model.graph.output]
        assert graph.domains == {""} and not graph.has_external_data
        check_graph(graph, "Tom")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_graph_or_damaged(data: bytes) -> None:
    with contextlib.suppress(DamagedGraph):
        assert read_graph(data).nodes


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_graphs_are_told_and_nothing_else_is_raised(data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(KOKORO)))
    broken = bytearray(KOKORO[:cut] if data.draw(st.booleans()) else KOKORO)
    for _ in range(data.draw(st.integers(1, 4))):
        if broken:
            broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DamagedGraph, ModelError):
        check_graph(read_graph(bytes(broken)), "Tom")


def refuse(data: bytes, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        check_graph(read_graph(data), "Tom")
    assert caught.value.kind == "unsafe" and str(caught.value).startswith("Tom")


def lie_outside() -> Any:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "far")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def make_inner_graph(**more: Any) -> Any:
    node = helper.make_node("Identity", ["a"], ["b"], **more)
    return helper.make_graph([node], "inner", [], [helper.make_tensor_value_info("b", TensorProto.FLOAT, None)])


def make_sparse(model: Any) -> None:
    indices = numpy_helper.from_array(np.zeros((1, 1), np.int64))
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(lie_outside(), indices, [3]))


def put_into_branch(model: Any) -> None:
    inner = make_inner_graph()
    inner.initializer.append(lie_outside())
    model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=inner, else_branch=make_inner_graph()))


@pytest.mark.parametrize(
    "work",
    [
        lambda model: model.graph.initializer.append(lie_outside()),
        make_sparse,
        put_into_branch,
        lambda model: model.graph.node.append(helper.make_node("Constant", [], ["e"], value=lie_outside())),
    ],
    ids=["an initializer", "a sparse one", "a branch", "a constant"],
)
def test_tensors_in_other_files_are_refused_wherever_they_are(work: Callable[[Any], None]) -> None:
    refuse(change(KOKORO, work), "outside its ONNX graph")


def add_function(model: Any) -> None:
    node = helper.make_node("Secret", ["a"], ["b"], domain="of.a.function")
    model.functions.append(helper.make_function("of.its.own", "F", ["a"], ["b"], [node], [helper.make_opsetid("", 17)]))


@pytest.mark.parametrize(
    ("work", "domain"),
    [
        (lambda model: model.graph.node.append(helper.make_node("Read", [], ["e"], domain="my.files")), "my.files"),
        (add_function, "of.a.function"),
        (
            lambda model: model.graph.node.append(
                helper.make_node("Loop", [], ["e"], body=make_inner_graph(domain="my.inner"))
            ),
            "my.inner",
        ),
    ],
    ids=["a node", "a function", "a branch"],
)
def test_operators_of_a_models_own_are_refused_wherever_they_are(work: Callable[[Any], None], domain: str) -> None:
    refuse(change(KOKORO, work), domain)


def test_operators_that_onnxruntime_brings_are_taken() -> None:
    def use(model: Any) -> None:
        model.graph.node.append(helper.make_node("Gelu", ["a"], ["e"], domain="com.microsoft"))
        model.opset_import.append(helper.make_opsetid("org.unused", 1))  # named, but no node is of it

    check_graph(read_graph(change(KOKORO, use)), "Tom")


def test_graphs_within_graphs_have_an_end() -> None:
    inner = make_inner_graph()
    for _ in range(DEEPEST + 2):
        node = helper.make_node("If", ["c"], ["d"], then_branch=inner)
        inner = helper.make_graph([node], "outer", [], [])
    deep = change(
        KOKORO, lambda model: model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=inner))
    )
    with pytest.raises(DamagedGraph):
        read_graph(deep)


def test_two_graphs_or_none_are_no_model(tmp_path: Path) -> None:
    for data in (KOKORO + KOKORO, b"", change(KOKORO, lambda model: model.graph.ClearField("node"))):
        with pytest.raises(DamagedGraph):
            read_graph(data)
    path = tmp_path / "voice.onnx"
    path.write_bytes(b"\x00")
    with pytest.raises(ModelError, match=r"voice\.onnx of Tom is damaged") as caught:
        load_graph(path, "Tom")
    assert caught.value.kind == "weights"


def test_an_inner_value_becomes_an_output() -> None:
    found = read_graph(KOKORO).find_outputs("Clip", "Round")
    assert found == ["durations"] and read_graph(KOKORO).find_outputs("Clip", "Sin") == []
    ids = np.array([[0, 5, 6, 0]], np.int64)
    values: dict[str, Any] = {"input_ids": ids, "style": np.ones((1, 256), np.float32), "speed": np.ones(1, np.float32)}
    plain = run(KOKORO, **values)
    samples, durations = run(add_outputs(KOKORO, found), **values)
    assert np.array_equal(samples, plain[0])
    assert durations.tolist() == [12, 3, 3, 12] and len(samples) == durations.sum() * 600
    assert add_outputs(KOKORO, []) == KOKORO


def test_noise_comes_from_an_input_and_is_the_same_each_time() -> None:
    graph = read_graph(PIPER)
    made, is_noisy = take_noise(PIPER, graph)
    assert is_noisy
    ids = np.arange(12)[None]
    values: dict[str, Any] = {
        "input": ids,
        "input_lengths": np.array([12]),
        "scales": np.array([0.6, 1.0, 0.8], np.float32),
    }
    noise = np.random.default_rng(1).standard_normal(NOISE_COUNT, dtype=np.float32)
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    first, again = (session.run(None, values | {NOISE_INPUT: noise})[0].reshape(-1) for _ in range(2))
    assert np.array_equal(first, again)
    calm = session.run(None, values | {NOISE_INPUT: 0 * noise})[0].reshape(-1)
    heard = np.flatnonzero(first - calm)
    assert np.allclose((first - calm)[heard], noise[heard] * 0.6 * 0.05, atol=1e-5), "sample by sample, the input's"
    long = session.run(None, values | {"scales": np.array([0.6, 90.0, 0.8], np.float32), NOISE_INPUT: noise})[0]
    assert long.size > NOISE_COUNT, "noise that is used up begins anew"
    assert take_noise(KOKORO, read_graph(KOKORO)) == (KOKORO, False)


def test_noise_that_is_scaled_stays_as_it_is() -> None:
    def scale(model: Any) -> None:
        node = next(node for node in model.graph.node if node.op_type == "RandomNormalLike")
        node.attribute.append(helper.make_attribute("scale", 2.0))

    scaled = change(PIPER, scale)
    assert take_noise(scaled, read_graph(scaled)) == (scaled, False)

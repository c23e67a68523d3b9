"""Writes an ONNX graph node by node; large tensors go to a file beside it, which the runtime maps into memory."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

GRAPH_FILE = "graph.onnx"
_DATA_FILE = "graph.data"
_PAGE = 4096  # a mapped tensor starts on a page of its own
_INLINE_BYTES = 1024  # shape arithmetic needs its small constants inside the graph
_OPSET = 21
_IR_VERSION = 10  # the oldest that knows this opset: older runtimes can read the file too


class GraphWriter:
    """A graph in the making. Values are known by name; `node` and `constant` return the names they make."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = (folder / _DATA_FILE).open("wb")
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data.close()

    def node(self, operator: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any) -> str:
        """Adds an operator with one output and returns that output's name."""
        from onnx import helper

        output = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], name=output, domain=domain, **attributes))
        return output

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Adds a constant tensor, once for each name."""
        from onnx import TensorProto, helper, numpy_helper

        if name in self._constants:
            return name
        array = np.ascontiguousarray(array)
        if array.nbytes <= _INLINE_BYTES:
            self._constants[name] = numpy_helper.from_array(array, name)
            return name
        start = -(-self._data.tell() // _PAGE) * _PAGE
        self._data.seek(start)
        self._data.write(array.tobytes())
        tensor = TensorProto(
            name=name,
            data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
            dims=array.shape,
            data_location=TensorProto.EXTERNAL,
        )
        for key, value in (("location", _DATA_FILE), ("offset", start), ("length", array.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        self._constants[name] = tensor
        return name

    def finish(self, *, ids: str, outputs: dict[str, int]) -> None:
        """Writes the file. `ids` is the one input, int64 [tokens]; `outputs` maps names to vector lengths."""
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            self._nodes,
            "embedder",
            [helper.make_tensor_value_info(ids, TensorProto.INT64, ["tokens"])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [size]) for name, size in outputs.items()],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        self._data.flush()
        os.fsync(self._data.fileno())
        with (self._folder / GRAPH_FILE).open("wb") as file:
            file.write(model.SerializeToString())
            file.flush()
            os.fsync(file.fileno())

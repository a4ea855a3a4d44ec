"""A generator that nobody trained: a small network of random weights that maps place and code to two fields.

``python -m ripieno_film.cppn FILE.onnx`` makes the file that this package ships, the same bytes every time.

Conventions
-----------
A code is 8 channels on a grid of 4 x 4, drawn from a normal distribution. It is spread over the picture by
smooth waves, so that every place has a code of its own and neighbours have like ones. Weights are drawn
from one seed; only the scales are chosen.

References
----------
Stanley: Compositional pattern producing networks: a novel abstraction of development. 2007.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.latents import GeneratorCard, principal_axes

SEED = 20
SIDE = 256
CHANNELS, GRID = 8, 4
HIDDEN = 16
BANK, DRAWN, AXES = 96, 512, 8
# Of index and shade around their middle: the darkest and the lightest are left to the paint.
REACH = (0.5, 0.38)
FEATURES = ("rms", "centroid_hz", "flatness", "onset_strength")
OPSET = 18
IR_VERSION = 10

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Weights:
    """Of the network, in the order in which they are used.

    Attributes
    ----------
    spread : ndarray [SIDE, GRID]
        How much each row of the grid counts in each row of the picture; rows sum to 1.
    code, place : ndarray [HIDDEN, CHANNELS], [HIDDEN, 3]
        First layer, of the code, and of x, y and the distance from the centre.
    inner : list of ndarray [HIDDEN, HIDDEN]
        Layers between.
    last : ndarray [2, HIDDEN]
        Index, in turns of a wave, and shade.
    """

    spread: Array
    code: Array
    place: Array
    inner: list[Array]
    last: Array


def draw_weights(rng: np.random.Generator) -> Weights:
    """The weights of the network."""

    def normal(rows: int, columns: int, scale: float) -> Array:
        drawn: Array = (rng.standard_normal((rows, columns)) * scale / np.sqrt(columns)).astype(np.float32)
        return drawn

    return Weights(
        spread=_spread(),
        code=normal(HIDDEN, CHANNELS, 1.5),
        place=normal(HIDDEN, 3, 2.2),
        inner=[normal(HIDDEN, HIDDEN, scale) for scale in (1.9, 1.7)],
        last=normal(2, HIDDEN, 1) * np.array([[1.9], [1.2]], np.float32),
    )


def make(path: Path) -> None:
    """Write the generator with its bank."""
    import onnx

    rng = np.random.default_rng(SEED)
    model = network(draw_weights(rng))
    codes = rng.standard_normal((DRAWN, CHANNELS * GRID * GRID)).astype(np.float16).astype(np.float32)
    measures = _measures(model, codes)
    chosen = _chosen(measures)
    bank = codes[chosen]
    card = GeneratorCard(
        latent_shape=(CHANNELS, GRID, GRID),
        output="fields",
        size=(SIDE, SIDE),
        anchors=bank,
        axes=principal_axes(bank, AXES),
        projection=_projection(measures[chosen]),
        features=FEATURES,
    )
    onnx.helper.set_model_props(model, card.to_metadata())
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def network(weights: Weights) -> Any:
    """The network as an ONNX model without metadata."""
    from onnx import TensorProto, helper, numpy_helper

    constants, nodes = [], []

    def constant(name: str, values: Any) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def node(kind: str, *inputs: str, to: str) -> str:
        nodes.append(helper.make_node(kind, inputs, [to], name=to))
        return to

    def layer(value: str, matrix: Array, *, to: str) -> str:
        return node("Conv", value, constant(f"{to}_weights", matrix[:, :, None, None]), to=to)

    across = node("MatMul", "latent", constant("spread_x", weights.spread.T), to="across")
    spread = node("MatMul", constant("spread_y", weights.spread), across, to="spread")
    from_code = layer(spread, weights.code, to="of_code")
    value = node("Add", from_code, _of_place(weights.place, constant, node), to="first")
    for number, matrix in enumerate(weights.inner):
        value = layer(node("Tanh", value, to=f"bent_{number}"), matrix, to=f"inner_{number}")
    value = layer(node("Tanh", value, to="bent"), weights.last, to="last")
    # Index and shade are one wave each: where it turns, colours fold and never jump.
    wave = node("Sin", value, to="wave")
    reach = constant("reach", np.array(REACH)[None, :, None, None])
    node(
        "Add",
        node("Mul", wave, reach, to="scaled"),
        constant("middle", np.full((1, 1, 1, 1), 0.5)),
        to="fields",
    )
    graph = helper.make_graph(
        nodes,
        "cppn",
        [helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["n", CHANNELS, GRID, GRID])],
        [helper.make_tensor_value_info("fields", TensorProto.FLOAT, ["n", 2, SIDE, SIDE])],
        constants,
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="ripieno-film",
    )


def _of_place(matrix: Array, constant: Any, node: Any) -> str:
    """What the first layer takes of a place; constant, so onnxruntime computes it once."""
    side = np.linspace(-1, 1, SIDE, dtype=np.float32)
    x, y = constant("x", side[None, None, None, :]), constant("y", side[None, None, :, None])
    squares = node("Add", node("Mul", x, x, to="x2"), node("Mul", y, y, to="y2"), to="r2")
    parts = [
        node("Mul", value, constant(f"of_{name}", matrix[None, :, place, None, None]), to=f"by_{name}")
        for place, (name, value) in enumerate({"x": x, "y": y, "r": node("Sqrt", squares, to="r")}.items())
    ]
    return str(node("Add", node("Add", parts[0], parts[1], to="by_xy"), parts[2], to="of_place"))


def _spread() -> Array:
    """Weights of a row of the grid over the rows of the picture: bells that overlap, so that no edge shows."""
    centres = (np.arange(GRID) + 0.5) / GRID
    places = (np.arange(SIDE) + 0.5) / SIDE
    bells = np.exp(-np.square((places[:, None] - centres) * GRID / 0.9) / 2)
    spread: Array = (bells / np.linalg.norm(bells, axis=1, keepdims=True)).astype(np.float32)
    return spread


def _measures(model: Any, codes: Array) -> NDArray[np.float64]:
    """Of each code's picture: spread of index, mean and contrast of shade, slope, unrest; [codes, 5]."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = []
    for code in codes:
        (fields,) = session.run(None, {"latent": code.reshape(1, CHANNELS, GRID, GRID)})
        index, shade = fields[0].astype(np.float64)
        slopes = np.hypot(np.diff(index, axis=0)[:, 1:], np.diff(index, axis=1)[1:])
        found.append((index.std(), shade.mean(), shade.std(), slopes.mean(), slopes.std()))
    return np.array(found)


def _chosen(measures: NDArray[np.float64]) -> NDArray[np.intp]:
    """Codes whose pictures are neither flat nor restless, and of those the ones that differ most."""
    spread, _, contrast, slope, unrest = measures.T
    lively = (spread > np.quantile(spread, 0.2)) & (contrast > np.quantile(contrast, 0.25))
    calm = (slope < np.quantile(slope, 0.8)) & (unrest < np.quantile(unrest, 0.8))
    good = np.flatnonzero(lively & calm)
    places = (measures[good] - measures[good].mean(axis=0)) / measures[good].std(axis=0)
    taken = [int(np.square(places).sum(axis=1).argmin())]
    distance = np.full(len(good), np.inf)
    while len(taken) < min(BANK, len(good)):
        distance = np.minimum(distance, np.square(places - places[taken[-1]]).sum(axis=1))
        taken.append(int(distance.argmax()))
    return np.sort(good[taken])


def _projection(measures: NDArray[np.float64]) -> Array:
    """Loud wants bright, treble wants fine forms, noise wants unrest, onsets want contrast."""
    _, light, contrast, slope, unrest = ((measures - measures.mean(axis=0)) / measures.std(axis=0)).T
    rows = np.stack([light, slope, unrest - slope, contrast], axis=1)
    projection: Array = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(
        np.float32
    )
    return projection


if __name__ == "__main__":
    make(Path(sys.argv[1]))

"""The interfaces: one abstract class a kind of plugin, each with one verb.

Conventions
-----------
*Closed* interfaces fix the required ports of their verb; further ones are keyword-only and optional.
*Open* ones (`*args`, `**kwargs` below) fix the verb and the kind of its result only; the ports are what
the plugin's own signature says. The entry-point group is ``ripieno.`` and the plural of the prefix.
"""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from .artifact import Artifact
from .audio import Audio, Stems
from .config import PluginConfig
from .events import Beats, Sections, Tracked
from .files import Bundle, Dataset, Model, Scores, Video
from .plugin import Plugin
from .series import Activations, Features, Trajectory

C = TypeVar("C", bound=PluginConfig)


class DataSource(Plugin[C]):
    """Makes examples to learn from."""

    group, prefix, verb = "ripieno.data_sources", "data_source", "generate"

    @abstractmethod
    def generate(self) -> Dataset:
        """A data set, the same for the same seed."""


class Augmenter(Plugin[C]):
    """Changes an example's sound and its labels together.

    What is random is drawn apart from being used, so that a recorded draw makes the example again.
    """

    group, prefix, verb = "ripieno.augmenters", "augmenter", "apply"
    also_called = ("draw",)

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Any:
        """The parameters of one use: plain JSON values or a frozen dataclass of them."""

    @abstractmethod
    def apply(self, example: Any, draw: Any) -> Any:
        """The example as `draw` changes it; the one given is left as it is."""


class Frontend(Plugin[C]):
    """Turns sound into features."""

    group, prefix, verb = "ripieno.frontends", "frontend", "transform"

    @abstractmethod
    def transform(self, audio: Audio) -> Features:
        """Features of the audio; empty audio gives no frames."""


class Transcriber(Plugin[C]):
    """Turns sound into frame-wise activations."""

    group, prefix, verb = "ripieno.transcribers", "transcriber", "transcribe"

    @abstractmethod
    def transcribe(self, audio: Audio) -> Activations:
        """Activations by named head."""


class BeatDecoder(Plugin[C]):
    """Turns beat activations into beats and a clock.

    Its session gives rows of the clock, one a frame, and events: ``beat`` with the value ``position``,
    ``beats_per_bar``, ``tempo_bpm`` and ``confidence``, and with each of them ``next_beat``, a prediction.
    """

    group, prefix, verb = "ripieno.decoders", "decoder", "decode"

    @abstractmethod
    def decode(self, activations: Activations, *, cues: Features | None = None) -> Tracked:
        """Beats and clock.

        Parameters
        ----------
        activations : Activations
            Head ``beat``: probability that a beat falls in the frame, downbeats included; head
            ``downbeat``: that a downbeat does.
        cues : Features, optional
            Further evidence at the rate of the activations: ``chroma_0`` to ``chroma_11``, ``bass_db``.
        """


class PerformanceDecoder(Plugin[C]):
    """Turns activations into a performance."""

    group, prefix, verb = "ripieno.decoders", "decoder", "decode"

    @abstractmethod
    def decode(self, *args: Any, **kwargs: Any) -> Artifact:
        """A performance."""


class FrameDecoder(Plugin[C]):
    """Turns coefficients into pictures, chunk by chunk."""

    group, prefix, verb = "ripieno.decoders", "decoder", "decode"

    @abstractmethod
    def decode(self, *args: Any, **kwargs: Any) -> Any:
        """Frames uint8 [n, height, width, 3]."""


class BeatTracker(Plugin[C]):
    """Finds the beats of a recording. Its session gives what a `BeatDecoder`'s gives."""

    group, prefix, verb = "ripieno.beat_trackers", "beat_tracker", "track"

    @abstractmethod
    def track(self, audio: Audio) -> Tracked:
        """Beats and clock; silence gives no beats."""


class StructureAnalyzer(Plugin[C]):
    """Finds the form of a piece."""

    group, prefix, verb = "ripieno.structure_analyzers", "structure_analyzer", "analyze"

    @abstractmethod
    def analyze(self, audio: Audio, *, beats: Beats) -> Sections:
        """Sections that cover the audio from start to end, without a gap."""


class Separator(Plugin[C]):
    """Splits a recording into stems."""

    group, prefix, verb = "ripieno.separators", "separator", "separate"

    @abstractmethod
    def separate(self, audio: Audio) -> Stems:
        """Stems of the same rate, channels and length; their names are `output_names`."""


class Effect(Plugin[C]):
    """Turns sound into sound."""

    group, prefix, verb = "ripieno.effects", "effect", "process"

    @abstractmethod
    def process(self, audio: Audio) -> Audio:
        """The audio as the effect changes it."""


class Controller(Plugin[C]):
    """Turns what is known of the music into a path for pictures."""

    group, prefix, verb = "ripieno.controllers", "controller", "control"

    @abstractmethod
    def control(self, *args: Any, **kwargs: Any) -> Trajectory:
        """Coefficients per film frame."""


class Renderer(Plugin[C]):
    """Makes a film. Its config has ``size: [width, height]`` and ``fps``."""

    group, prefix, verb = "ripieno.renderers", "renderer", "render"

    @abstractmethod
    def render(self, *args: Any, **kwargs: Any) -> Video:
        """A film as long as its music."""


class FrameEffect(Plugin[C]):
    """Changes frames of a film."""

    group, prefix, verb = "ripieno.frame_effects", "frame_effect", "apply"

    @abstractmethod
    def apply(self, frames: NDArray[np.uint8], start_s: float) -> NDArray[np.uint8]:
        """Frames [n, height, width, 3], the first at `start_s`, in and out."""


class Joiner(Plugin[C]):
    """Makes one artifact of many."""

    group, prefix, verb = "ripieno.joiners", "joiner", "join"

    @abstractmethod
    def join(self, *args: Any, **kwargs: Any) -> Artifact:
        """One artifact of a list of them."""


class Generator(Plugin[C]):
    """Turns words into sound."""

    group, prefix, verb = "ripieno.generators", "generator", "generate"

    @abstractmethod
    def generate(self, *args: Any, **kwargs: Any) -> Audio:
        """Sound as the prompt asks."""


class Trainer(Plugin[C]):
    """Learns a model from data."""

    group, prefix, verb = "ripieno.trainers", "trainer", "train"
    reproducible = False

    @abstractmethod
    def train(self, *args: Any, **kwargs: Any) -> Model:
        """A model, its card in the metadata."""


class Metric(Plugin[C]):
    """Measures how good something is."""

    group, prefix, verb = "ripieno.metrics", "metric", "measure"

    @abstractmethod
    def measure(self, *args: Any, **kwargs: Any) -> Scores:
        """Figures, and what they were compared with."""


class Sink(Plugin[C]):
    """Writes files for people: pages, galleries, tables."""

    group, prefix, verb = "ripieno.sinks", "sink", "publish"

    @abstractmethod
    def publish(self, *args: Any, **kwargs: Any) -> Bundle:
        """Named files."""


class Codec(Plugin[C]):
    """Reads and writes one kind of artifact as files of some suffixes."""

    group, prefix, verb = "ripieno.codecs", "codec", "read"
    also_called = ("write", "header")

    kind: ClassVar[type[Artifact]]
    """The class of the artifacts."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Lower case with the dot, the preferred one first; ``""`` is a folder."""

    @abstractmethod
    def read(self, path: Path) -> Artifact:
        """The artifact in a file.

        Raises
        ------
        InputError
            If the file is not what its suffix says; the message names it.
        """

    @abstractmethod
    def write(self, artifact: Any, path: Path) -> None:
        """Write an artifact to a path that does not exist yet; the caller makes it atomic."""

    def header(self, path: Path) -> Mapping[str, Any]:
        """`Artifact.header` of a file without reading all of it; empty where that is not known."""
        return {}


INTERFACES = tuple(kind for kind in Plugin.__subclasses__() if kind.__module__ == __name__)
"""Every interface whose plugins are classes."""

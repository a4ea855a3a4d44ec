"""What Ripieno and its plugins agree on: artifacts, interfaces, settings, context, errors, streaming.

Importing this package imports nothing else; a name is loaded when it is first used (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .artifact import Artifact as Artifact
    from .audio import Audio as Audio
    from .audio import AudioFormat as AudioFormat
    from .audio import AudioSpec as AudioSpec
    from .audio import AudioWriter as AudioWriter
    from .audio import Stems as Stems
    from .binaries import FFMPEG as FFMPEG
    from .binaries import Binary as Binary
    from .config import PluginConfig as PluginConfig
    from .config import PluginRef as PluginRef
    from .context import Context as Context
    from .context import current_context as current_context
    from .data import Asset as Asset
    from .data import DataPlugin as DataPlugin
    from .data import Preset as Preset
    from .data import Recipe as Recipe
    from .data import resources as resources
    from .errors import ConfigError as ConfigError
    from .errors import DamagedError as DamagedError
    from .errors import InputError as InputError
    from .errors import MissingError as MissingError
    from .errors import PipelineError as PipelineError
    from .errors import PluginError as PluginError
    from .errors import RefusedError as RefusedError
    from .errors import RipienoError as RipienoError
    from .errors import StepError as StepError
    from .events import Beats as Beats
    from .events import Sections as Sections
    from .events import Tracked as Tracked
    from .files import Bundle as Bundle
    from .files import Dataset as Dataset
    from .files import Image as Image
    from .files import Model as Model
    from .files import Scores as Scores
    from .files import Text as Text
    from .files import Video as Video
    from .hooks import Hooks as Hooks
    from .host import Host as Host
    from .interfaces import Augmenter as Augmenter
    from .interfaces import BeatDecoder as BeatDecoder
    from .interfaces import BeatTracker as BeatTracker
    from .interfaces import Codec as Codec
    from .interfaces import Controller as Controller
    from .interfaces import DataSource as DataSource
    from .interfaces import Effect as Effect
    from .interfaces import FrameDecoder as FrameDecoder
    from .interfaces import FrameEffect as FrameEffect
    from .interfaces import Frontend as Frontend
    from .interfaces import Generator as Generator
    from .interfaces import Joiner as Joiner
    from .interfaces import Metric as Metric
    from .interfaces import PerformanceDecoder as PerformanceDecoder
    from .interfaces import Renderer as Renderer
    from .interfaces import Separator as Separator
    from .interfaces import Sink as Sink
    from .interfaces import StructureAnalyzer as StructureAnalyzer
    from .interfaces import Trainer as Trainer
    from .interfaces import Transcriber as Transcriber
    from .plugin import NoConfig as NoConfig
    from .plugin import Plugin as Plugin
    from .plugin import Resources as Resources
    from .provenance import Licence as Licence
    from .provenance import Provenance as Provenance
    from .series import Activations as Activations
    from .series import BeatClock as BeatClock
    from .series import Features as Features
    from .series import Trajectory as Trajectory
    from .streaming import Aligner as Aligner
    from .streaming import Chunk as Chunk
    from .streaming import Event as Event
    from .streaming import Framer as Framer
    from .streaming import Latency as Latency
    from .streaming import Session as Session
    from .streaming import joined_samples as joined_samples
    from .streaming import run_offline as run_offline

_HOME = {
    "artifact": ("Artifact",),
    "audio": ("Audio", "AudioFormat", "AudioSpec", "AudioWriter", "Stems"),
    "binaries": ("Binary", "FFMPEG"),
    "config": ("PluginConfig", "PluginRef"),
    "context": ("Context", "current_context"),
    "errors": (
        "ConfigError",
        "DamagedError",
        "InputError",
        "MissingError",
        "PipelineError",
        "PluginError",
        "RefusedError",
        "RipienoError",
        "StepError",
    ),
    "events": ("Beats", "Sections", "Tracked"),
    "files": ("Bundle", "Dataset", "Image", "Model", "Scores", "Text", "Video"),
    "hooks": ("Hooks",),
    "host": ("Host",),
    "interfaces": (
        "Augmenter",
        "BeatDecoder",
        "BeatTracker",
        "Codec",
        "Controller",
        "DataSource",
        "Effect",
        "FrameDecoder",
        "FrameEffect",
        "Frontend",
        "Generator",
        "Joiner",
        "Metric",
        "PerformanceDecoder",
        "Renderer",
        "Separator",
        "Sink",
        "StructureAnalyzer",
        "Trainer",
        "Transcriber",
    ),
    "plugin": ("NoConfig", "Plugin", "Resources"),
    "provenance": ("Licence", "Provenance"),
    "data": ("Asset", "DataPlugin", "Preset", "Recipe", "resources"),
    "series": ("Activations", "BeatClock", "Features", "Trajectory"),
    "streaming": (
        "Aligner",
        "Chunk",
        "Event",
        "Framer",
        "Latency",
        "Session",
        "joined_samples",
        "run_offline",
    ),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE)


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

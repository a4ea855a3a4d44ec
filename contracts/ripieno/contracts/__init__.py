"""What Ripieno and its plugins agree on: artifacts, interfaces, settings, context, errors, streaming.

Importing this package imports nothing else; a name is loaded when it is first used (PEP 562). Type
checkers read the same names from ``__init__.pyi``.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "artifact": "Artifact",
    "audio": "Audio AudioSpec AudioWriter Stems",
    "binaries": "Binary FFMPEG",
    "config": "PluginConfig PluginRef",
    "cont": "cont_text document_in performance_of read_cont validate write_cont",
    "cont_reading": "Violation",
    "context": "Context Made current_context derive_seed",
    "errors": (
        "ConfigError DamagedError InputError MissingError PipelineError PluginError RefusedError "
        "RipienoError StepError"
    ),
    "events": "Beats Sections Tracked",
    "files": "Bundle Dataset Image Model Scores Text Video",
    "formats": "AudioFormat EventFormat SeriesFormat StreamFormat",
    "hooks": "Hooks",
    "host": "Host",
    "interfaces": (
        "Augmenter BeatDecoder BeatTracker Codec Controller DataSource Effect FrameDecoder "
        "FrameEffect Frontend Generator Joiner Metric PerformanceDecoder Renderer Separator Sink "
        "StructureAnalyzer Trainer Transcriber"
    ),
    "instrument": "Channel InstrumentProfile",
    "lowering": "Lowered lower",
    "performance": "Envelope Example Note Performance Stream",
    "plugin": "NoConfig Plugin Resources",
    "provenance": "Licence Provenance",
    "sample_library": "SampledPlayer SampledTechnique SampleLibrary",
    "data": "Asset DataPlugin Preset Recipe resources",
    "series": "Activations BeatClock Features Trajectory",
    "slow_clock": "SlowClock slow_states",
    "slow_state": "BeatClockState SlowState SlowStates StructureState",
    "state_bus": "Reading StateBus",
    "streaming": "Aligner Chunk Event Framer Latency Session joined_samples run_offline",
    "writing": "atomic_path write_whole",
}
_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = sorted(_MODULE)


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

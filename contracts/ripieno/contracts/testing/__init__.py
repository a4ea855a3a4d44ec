"""The conformance kit: one suite of tests for each interface.

``class TestConformance(SeparatorSuite): plugin = Hpss`` in a plugin's tests inherits what every separator
must keep. It needs pytest and hypothesis (``ripieno-contracts[testing]``).
"""

from .audio import (
    AudioSuite,
    BeatTrackerSuite,
    EffectSuite,
    FrontendSuite,
    SeparatorSuite,
    StructureAnalyzerSuite,
    TranscriberSuite,
    music,
)
from .codec import CodecSuite
from .films import ControllerSuite, FrameDecoderSuite, FrameEffectSuite, RendererSuite
from .others import (
    AugmenterSuite,
    BeatDecoderSuite,
    DataSourceSuite,
    GeneratorSuite,
    JoinerSuite,
    MetricSuite,
    PerformanceDecoderSuite,
    SinkSuite,
    TrainerSuite,
)
from .streaming import StreamingSuite
from .suite import PluginSuite, digest, overrides

__all__ = [
    "AudioSuite",
    "AugmenterSuite",
    "BeatDecoderSuite",
    "BeatTrackerSuite",
    "CodecSuite",
    "ControllerSuite",
    "DataSourceSuite",
    "EffectSuite",
    "FrameDecoderSuite",
    "FrameEffectSuite",
    "FrontendSuite",
    "GeneratorSuite",
    "JoinerSuite",
    "MetricSuite",
    "PerformanceDecoderSuite",
    "PluginSuite",
    "RendererSuite",
    "SeparatorSuite",
    "SinkSuite",
    "StreamingSuite",
    "StructureAnalyzerSuite",
    "TrainerSuite",
    "TranscriberSuite",
    "digest",
    "music",
    "overrides",
]

"""The conformance kit: one suite of tests for each interface.

``class TestConformance(SeparatorSuite): plugin = Hpss`` in a plugin's tests inherits what every separator
must keep. It needs pytest and hypothesis (``ripieno-contracts[testing]``).
"""

from .audio import (
    AudioSuite as AudioSuite,
    BeatTrackerSuite as BeatTrackerSuite,
    EffectSuite as EffectSuite,
    FrontendSuite as FrontendSuite,
    SeparatorSuite as SeparatorSuite,
    StructureAnalyzerSuite as StructureAnalyzerSuite,
    TranscriberSuite as TranscriberSuite,
    music as music,
)
from .codec import CodecSuite as CodecSuite
from .others import (
    AugmenterSuite as AugmenterSuite,
    BeatDecoderSuite as BeatDecoderSuite,
    ControllerSuite as ControllerSuite,
    DataSourceSuite as DataSourceSuite,
    FrameDecoderSuite as FrameDecoderSuite,
    FrameEffectSuite as FrameEffectSuite,
    GeneratorSuite as GeneratorSuite,
    JoinerSuite as JoinerSuite,
    MetricSuite as MetricSuite,
    PerformanceDecoderSuite as PerformanceDecoderSuite,
    RendererSuite as RendererSuite,
    SinkSuite as SinkSuite,
    TrainerSuite as TrainerSuite,
)
from .streaming import StreamingSuite as StreamingSuite
from .suite import PluginSuite as PluginSuite, digest as digest, overrides as overrides

"""What type checkers see of the lazily loaded names."""

from .artifact import Artifact as Artifact
from .audio import (
    Audio as Audio,
    AudioSpec as AudioSpec,
    AudioWriter as AudioWriter,
    Stems as Stems,
)
from .binaries import FFMPEG as FFMPEG, Binary as Binary
from .config import PluginConfig as PluginConfig, PluginRef as PluginRef
from .cont import (
    cont_text as cont_text,
    document_in as document_in,
    performance_of as performance_of,
    read_cont as read_cont,
    validate as validate,
    write_cont as write_cont,
)
from .cont_reading import Violation as Violation
from .context import (
    Context as Context,
    Made as Made,
    current_context as current_context,
    derive_seed as derive_seed,
)
from .data import (
    Asset as Asset,
    DataPlugin as DataPlugin,
    Preset as Preset,
    Recipe as Recipe,
    resources as resources,
)
from .errors import (
    ConfigError as ConfigError,
    DamagedError as DamagedError,
    InputError as InputError,
    MissingError as MissingError,
    PipelineError as PipelineError,
    PluginError as PluginError,
    RefusedError as RefusedError,
    RipienoError as RipienoError,
    StepError as StepError,
)
from .events import Beats as Beats, Sections as Sections, Tracked as Tracked
from .files import (
    Bundle as Bundle,
    Dataset as Dataset,
    Image as Image,
    Model as Model,
    Scores as Scores,
    Text as Text,
    Video as Video,
)
from .formats import (
    AudioFormat as AudioFormat,
    EventFormat as EventFormat,
    SeriesFormat as SeriesFormat,
    StreamFormat as StreamFormat,
)
from .hooks import Hooks as Hooks
from .host import Host as Host
from .instrument import Channel as Channel, InstrumentProfile as InstrumentProfile
from .interfaces import (
    Augmenter as Augmenter,
    BeatDecoder as BeatDecoder,
    BeatTracker as BeatTracker,
    Codec as Codec,
    Controller as Controller,
    DataSource as DataSource,
    Effect as Effect,
    FrameDecoder as FrameDecoder,
    FrameEffect as FrameEffect,
    Frontend as Frontend,
    Generator as Generator,
    Joiner as Joiner,
    Metric as Metric,
    PerformanceDecoder as PerformanceDecoder,
    Renderer as Renderer,
    Separator as Separator,
    Sink as Sink,
    StructureAnalyzer as StructureAnalyzer,
    Trainer as Trainer,
    Transcriber as Transcriber,
)
from .lowering import Lowered as Lowered, lower as lower
from .performance import (
    Envelope as Envelope,
    Example as Example,
    Note as Note,
    Performance as Performance,
    Stream as Stream,
)
from .plugin import NoConfig as NoConfig, Plugin as Plugin, Resources as Resources
from .provenance import Licence as Licence, Provenance as Provenance
from .sample_library import (
    SampledPlayer as SampledPlayer,
    SampledTechnique as SampledTechnique,
    SampleLibrary as SampleLibrary,
)
from .series import (
    Activations as Activations,
    BeatClock as BeatClock,
    Features as Features,
    Trajectory as Trajectory,
)
from .slow_clock import SlowClock as SlowClock, slow_states as slow_states
from .slow_state import (
    BeatClockState as BeatClockState,
    SlowState as SlowState,
    SlowStates as SlowStates,
    StructureState as StructureState,
)
from .state_bus import Reading as Reading, StateBus as StateBus
from .streaming import (
    Aligner as Aligner,
    Chunk as Chunk,
    Event as Event,
    Framer as Framer,
    Latency as Latency,
    Session as Session,
    joined_samples as joined_samples,
    run_offline as run_offline,
)

__version__: str
__all__: list[str]
from .writing import atomic_path as atomic_path, write_whole as write_whole

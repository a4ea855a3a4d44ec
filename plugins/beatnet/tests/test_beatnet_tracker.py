from ripieno.contracts import PluginRef
from ripieno.contracts.testing import BeatTrackerSuite
from ripieno_beat_decoders.forward import BarPointerForward
from ripieno_beatnet.tracker import BeatNet, BeatNetConfig


class TestConformance(BeatTrackerSuite):
    plugin = BeatNet
    config = BeatNetConfig(decoder=PluginRef.of(BarPointerForward()))

from ripieno.contracts.testing import TranscriberSuite
from ripieno_beatnet.activations import BeatNetActivations


class TestConformance(TranscriberSuite):
    plugin = BeatNetActivations

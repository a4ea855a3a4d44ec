"""Makes the networks of this folder importable; Demucs's own code computes with one thread, as the plugin does."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
torch.set_num_threads(1)

"""Makes the examples of this folder importable, and torch work alone."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
# More than one only wait for each other on so little work.
torch.set_num_threads(1)

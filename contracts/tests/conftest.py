"""Makes the plugins of this folder importable, here and in processes that are started from here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

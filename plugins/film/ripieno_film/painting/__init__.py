"""Painting: a generator's small fields become frames that look made at their size."""

from .painter import Painter as Painter
from .settings import Controls as Controls, Paint as Paint

"""Maps of sample libraries, one YAML file each."""

from ripieno.contracts import resources
from ripieno.contracts.sample_library import SampleLibrary

__getattr__ = resources(__name__, SampleLibrary)

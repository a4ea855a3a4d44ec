"""Maps of sample libraries, one YAML file each."""

from ripieno.contracts import SampleLibrary, resources

__getattr__ = resources(__name__, SampleLibrary)

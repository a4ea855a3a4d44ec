"""What instruments can play: one YAML file each, beside this one."""

from ripieno.contracts import InstrumentProfile, resources

__getattr__ = resources(__name__, InstrumentProfile)

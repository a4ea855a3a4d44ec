"""The errors a user can meet, each one line: what, where and what to do.

Conventions
-----------
Every error that a user can cause is a `RipienoError`; the command line prints its message without a
traceback. Anything else that is raised is a bug and keeps its traceback.
"""


class RipienoError(Exception):
    """What every error in this module is: a message that names the fault, its place and its cure."""


class InputError(RipienoError):
    """The data given is not usable: empty where it may not be, damaged, of the wrong shape or unit."""


class ConfigError(RipienoError):
    """A setting is not usable: unknown, of the wrong type or out of range.

    Of several settings the message has one line each, ``place: message``; of all together, ``: message``.
    """

    def inside(self, place: str) -> "ConfigError":
        """The same of settings that stand within others, as ``place.with``."""
        lines = str(self).splitlines()
        return ConfigError(
            "\n".join(f"{place}.with{'' if line.startswith(': ') else '.'}{line}" for line in lines)
        )


class PipelineError(RipienoError):
    """A pipeline file is wrong; the message has one line for each problem, with file, line and column."""


class PluginError(RipienoError):
    """A plugin does not keep its contract: ports that cannot be read, a result of another type."""


class MissingError(RipienoError):
    """Something needed is not here: a program, a library, a plugin, a file of weights."""


class DamagedError(RipienoError):
    """Stored bytes are lost, or differ from the hash they were stored under.

    Parameters
    ----------
    path : str
        The damaged file.
    """

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: its bytes are gone or differ from the hash they were stored under")
        self.path = path


class StepError(RipienoError):
    """A step failed: its plugin raised, died, ran out of time or returned something else than it says."""


class RefusedError(RipienoError):
    """The run is not allowed: a plugin outside the allow-list, a licence that the pipeline excludes."""

"""What type checkers see of the lazily loaded names."""

from .pipeline import Pipeline as Pipeline
from .run import Options as Options, RunResult as RunResult

__version__: str
__all__: list[str]

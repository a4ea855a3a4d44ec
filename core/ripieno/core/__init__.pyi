"""What type checkers see of the lazily loaded names."""

from .pipeline import Pipeline as Pipeline
from .result import RunResult as RunResult
from .run import Options as Options

__version__: str
__all__: list[str]

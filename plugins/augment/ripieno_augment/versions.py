"""What is behind the data that this distribution makes."""

from importlib.metadata import version

ENGINES = ("ripieno-augment", "ripieno-toolkit", "numpy", "pedalboard", "pyroomacoustics", "scipy", "soxr")


def versions() -> dict[str, str]:
    """Version of each distribution whose code makes the numbers."""
    return {name: version(name) for name in ENGINES}

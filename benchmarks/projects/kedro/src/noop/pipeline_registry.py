"""Ten nodes in a row that do nothing."""

from kedro.pipeline import Pipeline, node


def noop(text: str) -> str:
    """Give back what is taken."""
    return text


def register_pipelines() -> dict[str, Pipeline]:
    """The only pipeline."""
    first = node(noop, "params:text0", "text1", name="text1")
    rest = [node(noop, f"text{number - 1}", f"text{number}", name=f"text{number}") for number in range(2, 11)]
    return {"__default__": Pipeline([first, *rest])}

"""The data source: strings of Faust's library, played by a person that is drawn from a seed."""

from difflib import get_close_matches
from importlib.metadata import version
from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from ripieno.contracts import Context, Dataset, DataSource, PluginConfig
from ripieno.toolkit.pairs.clips import collect, keep

from .models import LICENCE

Instrument = Literal["violin", "electric_guitar", "acoustic_guitar", "steel_guitar"]
INSTRUMENTS = get_args(Instrument)
BATCH = 8


class FaustConfig(PluginConfig):
    """Settings of `FaustSource`."""

    instrument: Instrument = Field(
        "violin",
        description="What is played; acoustic_guitar has nylon strings, steel_guitar is one of steel.",
    )
    count: int = Field(12, ge=1, description="Clips.", json_schema_extra={"unit": "clips"})
    duration_s: float = Field(
        10.0, ge=3, le=120, description="Length of a clip.", json_schema_extra={"unit": "s"}
    )

    @field_validator("instrument", mode="before")
    @classmethod
    def _is_known(cls, given: Any) -> Any:
        if given in INSTRUMENTS:
            return given
        close = get_close_matches(str(given), INSTRUMENTS, n=1)
        meant = f' (did you mean "{close[0]}"?)' if close else ""
        raise ValueError(f"expected one of {', '.join(INSTRUMENTS)}{meant}")


class FaustSource(DataSource[FaustConfig]):
    """Physical models of a violin and of guitars: every technique known, every label heard.

    Controls move with every sample. Pitch, onset and level are measured in each voice by itself; a note that
    cannot be confirmed is masked, a clip with more than 5 % of them made anew.
    """

    random = True
    parallel = True
    licences = (LICENCE,)

    def generate(self) -> Dataset:
        """The clips as ``INSTRUMENT-00000.flac`` (48 kHz, mono) and ``.cont``, with what made them.

        Returns
        -------
        Dataset
            The same bytes for a seed, however many workers there are.

        Raises
        ------
        MissingError
            If DawDreamer is not installed.
        StepError
            If a clip is dropped twenty times.
        """
        return collect(
            render_clips,
            context=self.context,
            name=self.config.instrument,
            count=self.config.count,
            source="data_source/faust",
            settings=self.config.model_dump(mode="json"),
            versions={name: version(name) for name in ("ripieno-faust", "ripieno-toolkit", "dawdreamer")},
            licences=self.licences,
            batch=BATCH,
        )


def render_clips(job: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """The clips of one job, on a worker."""
    from .clip import make_clip

    instrument, duration_s = job["settings"]["instrument"], job["settings"]["duration_s"]
    return keep(
        job,
        context,
        lambda seeds: (make_clip(seed, instrument=instrument, duration_s=duration_s) for seed in seeds),
    )

"""Settings of `ripieno_gallery.sink.Gallery`."""

from pydantic import Field

from ripieno.contracts import PluginConfig


class GalleryConfig(PluginConfig):
    """Settings of `Gallery`."""

    title: str = Field("Before and after", min_length=1, description="Heading of the page.")
    description: str = Field("", description="A sentence below the heading.")
    before_name: str = Field("Before", min_length=1, description="What the first sound of a pair is called.")
    after_name: str = Field("After", min_length=1, description="What the second sound of a pair is called.")
    snippet_s: float = Field(
        10.0, ge=1, le=60, description="Length of the snippets.", json_schema_extra={"unit": "s"}
    )
    whole_up_to_s: float = Field(
        600.0,
        ge=0,
        description="Of longer items the page has their snippets alone.",
        json_schema_extra={"unit": "s"},
    )
    lossless_up_to_s: float = Field(
        60.0, ge=0, description="Longer ones are heard as Opus, not FLAC.", json_schema_extra={"unit": "s"}
    )

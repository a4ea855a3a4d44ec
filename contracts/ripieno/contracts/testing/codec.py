"""What a codec keeps: what it writes it reads again, and a file of something else is refused by name."""

from pathlib import Path
from typing import Any

import pytest

from ..artifact import Artifact
from ..errors import InputError
from ..interfaces import Codec
from ..plugin import Plugin
from .suite import PluginSuite, digest, kit_context, overrides


class CodecSuite(PluginSuite):
    """Tests of a `Codec`; the subclass defines `artifact`."""

    interface = Codec

    def artifact(self) -> Artifact:
        """Something to write."""
        raise NotImplementedError(f"{type(self).__name__} must define artifact()")

    def same(self, again: Any, artifact: Any) -> bool:
        """Whether what was read is what was written; a lossy codec says here how close is close."""
        return digest(again) == digest(artifact)

    def example(self) -> dict[str, Any]:
        path = self.new_path(self.codec().suffixes[0])
        self.codec().write(self.artifact(), path)
        return {"path": path}

    def new_path(self, suffix: str) -> Path:
        """A path that nothing uses yet."""
        return kit_context(self.plugin(self.settings()), 0).new_file(suffix)

    def codec(self) -> Codec[Any]:
        """The codec under test."""
        plugin: Plugin[Any] = self.plugin(self.settings())
        assert isinstance(plugin, Codec)
        return plugin

    def test_its_suffixes_are_lower_case_with_a_dot_or_none_for_a_folder(self) -> None:
        suffixes = self.codec().suffixes
        assert suffixes, "no suffixes"
        assert all(suffix == suffix.lower() and suffix[:1] in (".", "") for suffix in suffixes)

    def test_what_it_writes_it_reads_again(self) -> None:
        codec = self.codec()
        for suffix in codec.suffixes:
            artifact, path = self.artifact(), self.new_path(suffix)
            before = digest(artifact)
            codec.write(artifact, path)
            assert digest(artifact) == before, "write changes the artifact"
            assert self.same(codec.read(path), artifact), f"{suffix or 'folder'} reads back as something else"

    def test_a_header_is_that_of_the_artifact(self) -> None:
        path = self.example()["path"]
        header = self.codec().header(path)
        assert not header or dict(header) == self.codec().read(path).header()

    @pytest.mark.parametrize("content", [b"\x00\xff not what the suffix says", b"{]"], ids=["bytes", "text"])
    def test_a_file_of_something_else_is_refused_by_name(self, content: bytes) -> None:
        codec = self.codec()
        for suffix in codec.suffixes:
            path = self.new_path(suffix)
            path.write_bytes(content)
            with pytest.raises(InputError) as refused:
                codec.read(path)
            assert path.name in str(refused.value)

    @overrides("a codec has a kind, no ports")
    def test_the_result_is_what_it_declares(self) -> None:
        assert isinstance(self.result(), self.codec().kind)

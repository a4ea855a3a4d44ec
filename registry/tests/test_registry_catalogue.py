import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ripieno.contracts import DamagedError, MissingError
from ripieno.registry import Catalogue
from ripieno.registry.download import terms

WEIGHTS = bytes(range(256)) * 12000
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `WEIGHTS` in the ways that servers do; `asked` are the ranges that it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        way = self.path.split("/")[1]
        if way == "gone":
            self.send_error(404)
        elif way == "plain-redirect":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/weights.onnx")
            self.end_headers()
        elif way == "redirect":
            self.send_response(302)
            self.send_header("Location", "/whole/weights.onnx")
            self.end_headers()
        elif way == "other":
            self._send(200, b"x" * len(WEIGHTS))
        elif way == "longer":
            self._send(200, WEIGHTS + b"x")
        elif way == "half":
            self._send(200, WEIGHTS, sent=len(WEIGHTS) // 2)
        elif way == "resumes" and wanted:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self._send(206, WEIGHTS[start:])
        else:
            self._send(200, WEIGHTS)

    def _send(self, status: int, body: bytes, *, sent: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def catalogue(make_distribution, registry, tmp_path, site):
    """Install an asset ``demo`` with this URL; gives the catalogue that has it."""

    def make(
        url: str, *, size: int = len(WEIGHTS), sha256: str = SHA256, commercial: bool = False
    ) -> Catalogue:
        text = (
            f"version: '1'\nurl: '{url}'\nsha256: {sha256}\nsize: {size}\nlicence: CC-BY-NC-4.0\n"
            f"commercial: {str(commercial).lower()}\ndescription: Weights.\n"
        )
        make_distribution(
            "ripieno-weights",
            entry_points={
                "ripieno.assets": {
                    "demo": "ripieno_weights.cards:demo",
                    "broken": "ripieno_weights.cards:none",
                }
            },
            modules={
                "ripieno_weights/__init__.py": "",
                "ripieno_weights/cards/__init__.py": (
                    "from ripieno.contracts import Asset, resources\n__getattr__ = resources(__name__, Asset)\n"
                ),
                "ripieno_weights/cards/demo.yaml": text,
            },
        )
        return Catalogue(registry, tmp_path / "assets")

    return make


def part(folder: Path) -> Path:
    return folder / "assets" / f"demo-{SHA256[:16]}" / "weights.onnx.part"


def refusal(catalogue: Catalogue) -> str:
    """What `get` says; nothing got the name of the file."""
    with pytest.raises(MissingError) as caught:
        catalogue.get("demo")
    with pytest.raises(MissingError, match=r"^asset demo: not downloaded"):
        catalogue.path("demo")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_asset_is_fetched_once_and_then_found(catalogue, server) -> None:
    weights = catalogue(server.url("whole/weights.onnx"))
    with pytest.raises(MissingError) as caught:
        weights.path("demo")
    assert str(caught.value) == (
        "asset demo: not downloaded (3.07 MB, CC-BY-NC-4.0). Run: core models get demo"
    )
    seen: list[tuple[int, int]] = []
    path = weights.get("demo", lambda done, total: seen.append((done, total)))
    assert path.name == "weights.onnx"
    assert path.read_bytes() == WEIGHTS
    assert path == weights.path("demo") == weights.get("demo")
    assert server.asked == [None]
    assert seen[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert [file.name for file in path.parent.iterdir()] == ["weights.onnx"]


def test_a_redirect_is_followed_but_not_to_plain_http(catalogue, server) -> None:
    assert catalogue(server.url("redirect/weights.onnx")).get("demo").read_bytes() == WEIGHTS


def test_a_redirect_to_plain_http_is_refused(catalogue, server) -> None:
    said = refusal(catalogue(server.url("plain-redirect/weights.onnx")))
    assert "cannot be fetched: http: is not fetched, only https: and file: are. Run: " in said


def test_a_fetch_that_stopped_goes_on_where_it_was(catalogue, server, tmp_path) -> None:
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(WEIGHTS[:1000])
    weights = catalogue(server.url("resumes/weights.onnx"))
    assert weights.get("demo").read_bytes() == WEIGHTS
    assert server.asked == ["bytes=1000-"]
    assert not part(tmp_path).exists()


def test_a_server_that_knows_no_ranges_is_read_from_the_start(catalogue, server, tmp_path) -> None:
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(b"x" * 1000)
    assert catalogue(server.url("whole/weights.onnx")).get("demo").read_bytes() == WEIGHTS


def test_a_part_that_is_whole_needs_no_network(catalogue, server, tmp_path) -> None:
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(WEIGHTS)
    assert catalogue(server.url("gone/weights.onnx")).get("demo").read_bytes() == WEIGHTS
    assert server.asked == []


def test_a_truncated_answer_keeps_what_came(catalogue, server, tmp_path) -> None:
    url = server.url("half/weights.onnx")
    half = len(WEIGHTS) // 2
    assert refusal(catalogue(url)) == (
        f"asset demo: {url} stopped after {half} of {len(WEIGHTS)} bytes, which are kept. "
        "Run: core models get demo (3.07 MB, CC-BY-NC-4.0)"
    )
    assert part(tmp_path).read_bytes() == WEIGHTS[:half]


@pytest.mark.parametrize("way", ["other", "longer"])
def test_another_file_is_refused_and_not_kept(catalogue, server, tmp_path, way: str) -> None:
    url = server.url(f"{way}/weights.onnx")
    said = refusal(catalogue(url))
    assert said.startswith(f"asset demo: {url} gives another file: its SHA-256 begins ")
    assert f"not {SHA256[:12]}. Nothing was kept. Run: core models get demo" in said
    assert not part(tmp_path).exists()


def test_a_page_that_is_gone_says_so(catalogue, server) -> None:
    assert "cannot be fetched: HTTP 404 Not Found. Run: core models get demo (3.07 MB" in refusal(
        catalogue(server.url("gone/weights.onnx"))
    )


def test_no_network_says_so(catalogue, server) -> None:
    url = server.url("whole/weights.onnx")
    server.server_close()
    assert f"asset demo: {url} cannot be fetched: [" in refusal(catalogue(url))


@pytest.mark.parametrize("url", ["http://example.invalid/weights.onnx", "ftp://example.invalid/weights.onnx"])
def test_only_https_and_files_are_fetched(catalogue, url: str) -> None:
    assert "is not fetched, only https: and file: are" in refusal(catalogue(url))


def test_a_file_is_fetched_by_its_url(catalogue, tmp_path) -> None:
    source = tmp_path / "weights.onnx"
    source.write_bytes(WEIGHTS)
    path = catalogue(source.as_uri()).get("demo")
    assert path != source
    assert path.read_bytes() == WEIGHTS


def test_what_has_no_room_is_refused_before_it_is_fetched(catalogue, server) -> None:
    said = refusal(catalogue(server.url("whole/weights.onnx"), size=10**18))
    assert "MB free, 1000000000000 MB are needed. Run: core models get demo (1e+09 GB" in said
    assert server.asked == []


def test_a_folder_that_cannot_be_made_is_one_line(catalogue, server, tmp_path) -> None:
    (tmp_path / "assets").write_text("a file", encoding="utf-8")
    assert "cannot be fetched: [" in refusal(catalogue(server.url("whole/weights.onnx")))


def test_a_file_that_was_damaged_is_refused_and_fetched_again(catalogue, server) -> None:
    weights = catalogue(server.url("whole/weights.onnx"))
    path = weights.get("demo")
    path.write_bytes(WEIGHTS[:-1] + b"x")
    with pytest.raises(DamagedError):
        weights.path("demo")
    assert weights.get("demo").read_bytes() == WEIGHTS


def test_what_a_package_carries_is_where_it_is(catalogue, site) -> None:
    carried = catalogue("package:ripieno_weights.cards/small model.onnx")
    reinstall = "is not as ripieno-weights came. Run: pip install --force-reinstall ripieno-weights"
    path = site / "ripieno_weights" / "cards" / "small model.onnx"
    with pytest.raises(MissingError) as caught:
        carried.get("demo")
    assert str(caught.value) == f"asset demo: {path} {reinstall}"
    path.write_bytes(WEIGHTS)
    assert carried.path("demo") == carried.get("demo") == path


@pytest.mark.parametrize("module", ["no_such_module.deep", "no_such_module", "json.decoder"])
def test_a_package_that_is_not_there_is_one_line(catalogue, module: str) -> None:
    with pytest.raises(MissingError) as caught:
        catalogue(f"package:{module}/small.onnx").path("demo")
    assert str(caught.value).startswith(f"asset demo: {module} is not as ripieno-weights came. ")


def test_the_list_has_what_can_be_read_and_reports_the_rest(catalogue, server) -> None:
    weights = catalogue(server.url("whole/weights.onnx"))
    said: list[str] = []
    found = {entry.name: entry for entry in weights.list(said.append)}
    demo = found["demo"]
    assert (demo.name, demo.asset.description, demo.path) == ("demo", "Weights.", None)
    assert [line for line in said if "ripieno-weights" in line] == [
        "asset/broken of ripieno-weights 1.0: ripieno_weights.cards has no attribute 'none'. "
        "Run: pip install -U ripieno-weights"
    ]
    path = weights.get("demo")
    assert {entry.name: entry.path for entry in weights.list(said.append)}["demo"] == path


def test_what_has_no_checksum_is_described_and_never_fetched(catalogue, server) -> None:
    unknown = catalogue(server.url("whole/weights.onnx"), size=0, sha256="''")
    assert {entry.name: entry.path for entry in unknown.list(lambda line: None)}["demo"] is None
    for ask in (unknown.get, unknown.path):
        with pytest.raises(MissingError, match=r"its checksum is not known.*Get it by hand from http"):
            ask("demo")
    assert server.asked == []


def test_sizes_are_shown_in_units_of_a_thousand() -> None:
    from ripieno.contracts import Asset

    shown = {}
    for size in (0, 999, 1000, 12_300_000, 4 * 10**9):
        asset = Asset(
            version="1", url="https://x", sha256="0" * 64, size=size, licence="MIT", commercial=True
        )
        shown[size] = terms(asset)
    assert shown == {
        0: "0 bytes, MIT",
        999: "999 bytes, MIT",
        1000: "1 kB, MIT",
        12_300_000: "12.3 MB, MIT",
        4 * 10**9: "4 GB, MIT",
    }

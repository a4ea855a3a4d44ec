"""The page of a generator: what stands on it, and that a browser shows it on any screen."""

import shutil
from pathlib import Path

import pytest
from small_generator import data, generator

from ripieno.contracts import Model, Scores
from ripieno.contracts.codecs import DatasetFolder
from ripieno.contracts.testing.browser import chromium, opened
from ripieno_gan.report import CURVES, GRIDS, GeneratorReport, GeneratorReportConfig

HOSTILE = "<img src=x onerror=hacked=1>\"'&"
METADATA = {
    "step": 20,
    "settings": {HOSTILE: HOSTILE},
    "figures": {"kid": 0.5},
    "history": [{"step": 10, "kid": 0.9, "difference": 0.4}, {"step": 20, "kid": 0.5, "difference": 0.2}],
}


def published(folder, *, metadata=METADATA, scores=None, **more):
    model = Model(Path(generator(folder / "generator.onnx", **more)), metadata)
    pictures = DatasetFolder().read(Path(data(folder, 9)))
    bundle = GeneratorReport(GeneratorReportConfig(rows=2, sweeps=3)).publish(
        model, [pictures], scores=scores
    )
    site = folder / "site"
    site.mkdir()
    for name, path in bundle.files.items():
        shutil.copyfile(path, site / name)
    return site


def test_figures_that_are_wired_come_before_those_of_the_training(tmp_path):
    page = (published(tmp_path, scores=Scores({"diversity_ratio": 0.75})) / "index.html").read_text()
    assert "<th>diversity ratio<td>0.75<td>" in page and "<th>kid" not in page


def test_a_generator_without_axes_and_history_has_a_page_too(tmp_path):
    site = published(tmp_path, axes=0, metadata={"step": HOSTILE})
    assert {path.stem for path in site.glob("*.png")} == GRIDS.keys() - {"axes"}
    page = (site / "index.html").read_text()
    assert "<h2>Training" not in page and HOSTILE not in page


@pytest.mark.slow
def test_the_page_fits_every_screen_and_shows_all_it_has(tmp_path):
    with chromium() as browser, opened(browser, published(tmp_path) / "index.html"):
        for width in (390, 1280):
            screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            overhang, widths, curves = browser.execute_script(
                "const page = document.documentElement; return [page.scrollWidth - page.clientWidth,"
                " [...document.images].map(i => i.naturalWidth), document.querySelectorAll('polyline').length]"
            )
            assert (overhang, widths, curves) == (0, [8 * 32] * len(GRIDS), len(CURVES))

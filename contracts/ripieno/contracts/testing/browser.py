"""A real browser for pages that plugins write, and what every page must keep.

Conventions
-----------
The browser is Chromium, driven by selenium through chromedriver. Where one of the three is missing, the test
that wants them is skipped, and says which. Names that a test gives a page may try to run a script of their
own; such a script sets ``hacked``.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "headless=new",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "mute-audio",
    "disable-sync",
    "disable-background-networking",
    "disable-component-update",
    "autoplay-policy=no-user-gesture-required",
    "window-size=1280,1400",
)


@contextmanager
def chromium(*flags: str) -> Iterator[Any]:
    """A browser without a window that records its console and what it asks the network for.

    Parameters
    ----------
    flags : str
        Switches of Chromium without dashes, ``window-size=1280,900``, beside or instead of the usual ones.
    """
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not found or not driver:
        pytest.skip("selenium is here, but no chromium with its chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = found
    for flag in (*FLAGS, *flags):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as browser:
        yield browser


@contextmanager
def opened(browser: Any, path: Path) -> Iterator[Any]:
    """A page from disk.

    At its end no message may stand on the console, nothing may have been asked for but files, and no foreign
    script may have run.
    """
    forget(browser)
    browser.get(path.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    asked = addresses(browser)
    assert asked
    assert all(address.startswith(("file:", "data:")) for address in asked)
    assert browser.execute_script("return typeof hacked") == "undefined"


def until(browser: Any, condition: Callable[[], Any], *, seconds: float = 20) -> Any:
    """What a condition gives as soon as that is true; the browser's error after some seconds."""
    ui = pytest.importorskip("selenium.webdriver.support.ui")
    return ui.WebDriverWait(browser, seconds, poll_frequency=0.05).until(lambda _: condition())


def forget(browser: Any) -> None:
    """Drop what the browser has recorded so far."""
    for log in ("browser", "performance"):
        browser.get_log(log)


def addresses(browser: Any) -> list[str]:
    """All that it has asked the network for since it was last asked, or forgot."""
    messages = [json.loads(row["message"])["message"] for row in browser.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

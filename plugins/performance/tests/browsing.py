"""A real browser for the pages of these tests, and what every page must keep."""

import json
import shutil
from contextlib import contextmanager

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
def chromium():
    selenium = pytest.importorskip("selenium", reason="selenium is not installed")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    found = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not found or not driver:
        pytest.skip(f"selenium {selenium.__version__} is here, but no chromium with its chromedriver")
    options = ChromeOptions()
    options.binary_location = found
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with Chrome(options=options, service=ChromeService(driver)) as browser:
        yield browser


@contextmanager
def opened(browser, path):
    """A page that ends without a message on the console, an address outside its folder, or foreign code run."""
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(path.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    messages = [json.loads(row["message"])["message"] for row in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert asked
    assert all(address.startswith(("file:", "data:")) for address in asked)
    assert browser.execute_script("return typeof hacked") == "undefined"


def until(browser, condition):
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 20, poll_frequency=0.05).until(lambda _: condition())

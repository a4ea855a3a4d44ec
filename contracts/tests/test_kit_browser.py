"""What a page must keep, seen by pages that do not."""

import pytest

from ripieno.contracts.testing.browser import addresses, chromium, forget, opened, until


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def page(folder, body):
    path = folder / "a page.html"
    path.write_text(
        f"<!doctype html><title>a page</title><link rel=icon href=data:,>{body}", encoding="utf-8"
    )
    return path


def test_a_page_of_its_own_is_well_and_is_waited_for(browser, tmp_path):
    script = (
        "<p></p><script>setTimeout(() => { document.querySelector('p').textContent = 'done' }, 50)</script>"
    )
    with opened(browser, page(tmp_path, script)) as found:
        words = until(found, lambda: found.find_element("css selector", "p").text)
    assert words == "done"


@pytest.mark.parametrize(
    "body",
    [
        "<script>console.error('no')</script>",
        "<img src='http://127.0.0.1:9/a.png'>",
        "<script>hacked = 1</script>",
        "<img src='none.png'>",
    ],
    ids=["complains", "asks another", "runs foreign code", "lacks a file"],
)
def test_a_page_that_does_what_it_must_not_is_found(browser, tmp_path, body):
    path = page(tmp_path, body)
    with pytest.raises(AssertionError), opened(browser, path):
        until(browser, lambda: browser.execute_script("return document.readyState") == "complete")


def test_what_a_page_asks_for_is_known_once_whether_it_is_there_or_not(browser, tmp_path):
    foreign = "http://127.0.0.1:9/a.png"
    path = page(tmp_path, f"<img src='{foreign}'>")
    forget(browser)
    browser.get(path.as_uri())
    asked = addresses(browser)
    assert path.as_uri() in asked and foreign in asked
    assert addresses(browser) == []

"""The page in Chromium, where there is one: it acts, asks for nothing outside, and is reachable."""

import itertools
import shutil

import pytest

from tests.export.report.conftest import ATTACK

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE, DESKTOP = {"width": 375, "height": 740}, {"width": 1280, "height": 900}
FOCUSED = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  const where = one.closest("section");
  return [one.tagName.toLowerCase(), where ? where.id : "", box.width * box.height > 0];
}"""
CONTRAST = """() => {
  const channel = (value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const bright = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => channel(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$|\\/ 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("p, li, dt, dd, th, td, a, label, summary, h1, h2, h3, h4")]
    .filter((one) => one.offsetParent && one.textContent.trim())
    .map((one) => {
      const both = [bright(getComputedStyle(one).color), bright(ground(one))];
      const [low, high] = both.sort((a, b) => a - b);
      return [one.className || one.tagName, (high + 0.05) / (low + 0.05)];
    }).filter(([, ratio]) => ratio < 4.5);
}"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def show(browser, page):
    """Open the page; what it says on the console, and what it asks for, must stay empty."""
    opened, said, asked = [], [], []

    def watched(route):
        if route.request.url.startswith(("file:", "data:")):
            return route.continue_()
        asked.append(route.request.url)
        return route.abort()

    def open_page(fragment="", *, viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        opened.append(context)
        context.route("**/*", watched)
        tab = context.new_page()
        tab.set_default_timeout(5000)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(f"{page.as_uri()}{fragment}")
        return tab

    yield open_page
    for context in opened:
        context.close()
    assert said == []
    assert asked == []


def test_every_section_is_there_and_filled(show):
    tab = show()
    headings = tab.locator("main h2").all_inner_texts()
    assert headings == ["Overview", "Factors", "Map", "Documents", "Prevalence"]
    assert tab.locator(".card").count() == 3
    assert tab.locator(".node").count() == 3
    assert "[object" not in tab.locator("body").inner_text()
    assert "undefined" not in tab.locator("body").inner_text()
    assert "NaN" not in tab.locator("body").inner_text()


def test_the_search_finds_a_document_and_shows_a_script_as_text(show):
    tab = show()
    tab.get_by_label("Search").fill("XYLOPHONE")
    tab.get_by_text("1 document", exact=True).wait_for()
    tab.locator(".hits button").click()
    assert tab.locator(".document h3").inner_text() == "<i>4"
    assert tab.locator(".document .text").inner_text().startswith(ATTACK)
    assert tab.title() == "<h1>Title & more – topicfactors"
    tab.get_by_label("Search").fill("no such words")
    tab.get_by_text("no document found").wait_for()


def test_a_factor_filters_documents_and_its_words_are_marked(show, fitted, texts):
    tab = show()
    tab.get_by_label("With the factor on").select_option("1")
    on = int((fitted.transform(texts)[:, 1] > 0.5).sum())
    tab.get_by_text(f"{on} documents", exact=True).wait_for()
    tab.locator(".hits button").first.click()
    pressed = tab.locator(".chosen-factors button[aria-pressed=true]")
    assert pressed.inner_text().startswith("1 · ")
    first = tab.locator(".text mark").first
    first.focus()
    said = tab.locator(".readout").inner_text()
    assert first.inner_text().lower() in said.lower()
    assert "nats" in said


def test_cards_are_sorted_and_filtered(show):
    tab = show()
    tab.get_by_label("With the word").fill("piston")
    tab.locator(".card .hit").first.wait_for()
    assert set(tab.locator(".card .hit").all_inner_texts()) == {"piston"}
    tab.get_by_label("With the word").fill("no such word")
    tab.get_by_text("no factor lists that word").wait_for()
    tab.get_by_label("With the word").fill("")
    tab.locator(".card").nth(2).wait_for()
    tab.get_by_label("Sort by").select_option("name")
    assert tab.locator(".card .tag").all_inner_texts() == ["0", "1", "2"]
    tab.get_by_label("Bars show").select_option("pairs")
    assert "|" in tab.locator(".card .number").first.inner_text()


def test_an_address_opens_a_document(show):
    tab = show("#document=4&factor=0")
    assert tab.locator(".document h3").inner_text() == "<i>4"


@pytest.mark.parametrize("name", ["label", "year", "<u>kind"])
def test_prevalence_over_each_column(show, name):
    tab = show()
    tab.get_by_label("Over", exact=True).select_option(label=name)
    assert name in tab.locator("#over .why").inner_text()
    tab.locator("#over summary").click()
    tab.locator("#over details td").nth(3).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_and_can_be_read(show, scheme):
    tab = show(color_scheme=scheme)
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    channels = [int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(", ")]
    assert min(channels) > 200 if scheme == "light" else max(channels) < 60
    assert tab.evaluate(CONTRAST) == []


def test_the_keyboard_reaches_the_controls_of_every_section(show):
    tab = show()
    reached = []
    for _ in range(120):
        tab.keyboard.press("Tab")
        name, where, seen = tab.evaluate(FOCUSED)
        if name == "body":
            break
        assert seen, f"a {name} in {where} has the focus and is not to be seen"
        reached.append((where, name))
    assert reached[0] == ("", "a")  # to the content
    assert {("factors", "select"), ("factors", "input"), ("factors", "summary")} <= set(reached)
    assert {("map", "g"), ("documents", "input"), ("documents", "button")} <= set(reached)
    assert {("documents", "mark"), ("over", "select"), ("over", "summary")} <= set(reached)
    order = [where for where, _ in reached if where]
    assert list(dict.fromkeys(order)) == ["overview", "factors", "map", "documents", "over"]


def test_the_map_is_walked_with_arrows(show):
    tab = show()
    tab.locator(".node").first.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    assert tab.locator(".node.chosen").count() == 1
    assert "1" in tab.locator(".node.chosen").get_attribute("aria-label")
    assert tab.locator("#map .panel a").count() > 0


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_nothing_is_wider_than_the_window(show, viewport):
    tab = show(viewport=viewport)
    tab.get_by_label("Bars show").select_option("pairs")
    for summary in tab.locator("summary").all():
        summary.click()
    width = tab.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]


def test_headings_come_in_order(show):
    tab = show()
    levels = tab.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((one) => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))

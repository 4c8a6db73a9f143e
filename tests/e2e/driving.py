"""Everything a person can press in the player, and what it does: every key, every menu, every button.

No key is pressed before the page shows what the one before it did, where that matters: some of them (play, speed, full
screen) turn around what the player believes, and it learns from its video's events, as a person does from the picture.
"""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import VIDEO, at, until, wait_at
from tests.support import wait_for

SUBTITLES = f"[...{VIDEO}.textTracks].filter(t => t.kind === 'subtitles')"

PICTURE = 1 / 30
"""Seconds."""

TIMES = "\N{MULTIPLICATION SIGN}"

STILL = "document.getAnimations().every(each => each.playState !== 'running' || each.effect.getTiming().iterations > 9)"
"""Nothing is on its way to another colour or place any more; what turns for ever may."""


def is_still(page: Page) -> None:
    """Wait until nothing moves."""
    until(page, STILL)


def show_controls(page: Page) -> None:
    """Rest the mouse on the bar of the controls: they show, and stay for as long as it does."""
    bar = page.locator(".video-controls")

    def on_it() -> bool:
        box = bar.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for above in (100, 1, 0):
            page.mouse.move(x, y - above)
        return bool(bar.evaluate("bar => bar.matches('[data-visible]:hover')"))

    wait_for(on_it, 15, "the mouse to be on the controls")


def press(page: Page, name: str) -> None:
    """Press a button of the player with the mouse."""
    show_controls(page)
    page.locator(".player").get_by_role("button", name=name).click()


def choose(page: Page, *choices: tuple[str, str]) -> None:
    """Choose one after the other from the menus of the player's settings, and close them."""
    press(page, "Settings")
    for menu, choice in choices:
        is_still(page)
        page.get_by_role("menuitem", name=menu).click()
        expect(page.get_by_role("menuitemradio", name=choice, exact=True)).to_be_visible()
        is_still(page)
        page.get_by_role("menuitemradio", name=choice, exact=True).click()
        expect(page.get_by_role("menuitemradio")).to_have_count(0)
        expect(page.get_by_role("menuitem", name=menu)).to_contain_text(choice)
    is_still(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)


def showing(page: Page) -> list[str]:
    """The languages of the subtitles that show."""
    found: list[str] = page.evaluate(f"{SUBTITLES}.filter(t => t.mode === 'showing').map(t => t.language)")
    return found


def says(page: Page, words: str) -> None:
    """Wait until the subtitles in the picture say so."""
    until(page, f"{SUBTITLES}.find(t => t.mode === 'showing')?.activeCues?.[0]?.text === {words!r}")


def is_at(page: Page, seconds: float) -> None:
    """Wait until it stands there, and not only where the pointer of the player does."""
    until(page, f"Math.abs({VIDEO}.currentTime - {seconds}) < {PICTURE / 2}")


def pause(page: Page, key: str = "k") -> None:
    """Pause it by that key."""
    _turn(page, key, "Pause", "Play")
    until(page, f"{VIDEO}.paused")


def play(page: Page, key: str = "k") -> None:
    """Let it play by that key."""
    _turn(page, key, "Play", "Pause")
    until(page, f"!{VIDEO}.paused")


def _turn(page: Page, key: str, before: str, after: str) -> None:
    button = page.locator(".media-play-button")
    expect(button).to_have_attribute("aria-label", before)
    page.keyboard.press(key)
    expect(button).to_have_attribute("aria-label", after)


def every_key(page: Page) -> None:
    """Press every key of a video that plays, has subtitles and lasts for minutes; it is paused then."""
    for key in ("k", "Space"):
        pause(page, key)
        play(page, key)
    pause(page)

    whole = float(page.evaluate(f"{VIDEO}.duration"))
    for digit in (9, 8, 7, 6, 5, 4, 3, 2, 0, 1):
        page.keyboard.press(str(digit))
        is_at(page, digit / 10 * whole)
    where = at(page)
    for key, step in (("l", 10), ("j", -10), ("ArrowRight", 5), ("ArrowLeft", -5)):
        where += step
        page.keyboard.press(key)
        is_at(page, where)
    for key, step in ((".", 1), (",", -1)):
        where += step * PICTURE
        page.keyboard.press(key)
        is_at(page, where)

    for key, volume in (("ArrowDown", 0.95), ("ArrowUp", 1)):
        page.keyboard.press(key)
        until(page, f"Math.abs({VIDEO}.volume - {volume}) < 0.001")
    for key, muted in (("m", "true"), ("m", "false")):
        page.keyboard.press(key)
        until(page, f"{VIDEO}.muted === {muted}")
    speed = page.locator(".media-menu-trigger-item", has_text="Speed")
    for key, rate in ((">", 1.2), ("<", 1)):
        page.keyboard.press(key)
        until(page, f"{VIDEO}.playbackRate === {rate}")
        expect(speed).to_contain_text(f"{rate}{TIMES}")
    page.keyboard.press("c")
    wait_for(lambda: showing(page) == ["en"], 15, "the subtitles of one's own language")
    says(page, "A ball bounces")
    page.keyboard.press("c")
    wait_for(lambda: showing(page) == [], 15, "no subtitles")

    for key, name, element in (
        ("f", "full screen", "fullscreenElement"),
        ("i", "picture-in-picture", "pictureInPictureElement"),
    ):
        for word, there in (("Exit", "!=="), ("Enter", "===")):
            page.keyboard.press(key)
            until(page, f"document.{element} {there} null")
            expect(page.locator(".player").get_by_label(f"{word} {name}")).to_have_count(1)
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def every_menu(page: Page) -> None:
    """Choose from every menu, and press every button, of a video that plays and has subtitles; it plays on."""
    choose(page, ("Subtitles", "German"), ("Speed", f"1.5{TIMES}"))
    assert showing(page) == ["de"]
    says(page, "Ein Ball hüpft")
    assert page.evaluate(f"{VIDEO}.playbackRate") == 1.5
    choose(page, ("Speed", f"1{TIMES}"), ("Subtitles", "Off"))
    assert showing(page) == []
    assert page.evaluate(f"{VIDEO}.playbackRate") == 1

    show_controls(page)
    player = page.locator(".player")
    player.get_by_role("button", name="Mute").hover()
    volume = page.get_by_role("slider", name="Volume")
    for key, value in (("Home", 0), ("End", 1)):
        volume.press(key)
        until(page, f"{VIDEO}.volume === {value}")
    for name, then in (
        ("Mute", f"{VIDEO}.muted"),
        ("Unmute", f"!{VIDEO}.muted"),
        ("Turn on subtitles", f"{SUBTITLES}.some(t => t.mode === 'showing')"),
        ("Turn off subtitles", f"{SUBTITLES}.every(t => t.mode !== 'showing')"),
        ("Pause", f"{VIDEO}.paused"),
        ("Play", f"!{VIDEO}.paused"),
    ):
        player.get_by_role("button", name=name).click()
        until(page, then)
    for name, then in (
        ("Enter full screen", "document.fullscreenElement !== null"),
        ("Exit full screen", "document.fullscreenElement === null"),
        ("Enter picture-in-picture", "document.pictureInPictureElement !== null"),
        ("Exit picture-in-picture", "document.pictureInPictureElement === null"),
    ):
        press(page, name)  # the controls have gone elsewhere
        until(page, then)
    for shown in (1, 0):
        player.get_by_role("button", name="Stats for nerds").click()
        expect(page.locator(".stats")).to_have_count(shown)
    player.get_by_role("button", name="Keyboard shortcuts").click()
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    keys.get_by_role("button", name="Close").click()
    expect(keys).to_be_hidden()

    page.get_by_label("Language").select_option("pt-BR")
    expect(page.get_by_role("heading", name="Detalhes")).to_be_visible()
    page.get_by_label("Idioma").select_option("en")
    expect(page.get_by_role("heading", name="Details")).to_be_visible()
    for theme in ("light", "dark"):
        page.get_by_label("Appearance").select_option(theme)
        until(page, f"document.documentElement.dataset.theme === '{theme}'")
    wait_at(page, at(page) + 0.5)

"""Drive the player as a viewer does: every key, every menu and every button, and check their effects.

Where it matters, the next key is pressed only after the page shows the effect of the previous one. Some keys (play,
speed, full screen) toggle the state that the player has stored, and it updates this state from events of its video.
"""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import VIDEO, position_of, until, wait_for_position
from tests.support import wait_for

SUBTITLES = f"[...{VIDEO}.textTracks].filter(t => t.kind === 'subtitles')"

FRAME = 1 / 30
"""Seconds that one frame step seeks."""

TIMES_SIGN = "\N{MULTIPLICATION SIGN}"

ANIMATIONS_DONE = (
    "document.getAnimations().every(it => it.playState !== 'running' || it.effect.getTiming().iterations > 9)"
)
"""No transition is running. Endless animations are allowed."""


def wait_for_animations(page: Page) -> None:
    """Wait until all animations have ended."""
    until(page, ANIMATIONS_DONE)


def show_controls(page: Page) -> None:
    """Move the mouse to the control bar and leave it there, so that the controls stay visible."""
    bar = page.locator(".video-controls")

    def hovers() -> bool:
        box = bar.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for above in (100, 1, 0):
            page.mouse.move(x, y - above)
        return bool(bar.evaluate("bar => bar.matches('[data-visible]:hover')"))

    wait_for(hovers, 15, "the mouse to be on the controls")


def press(page: Page, name: str) -> None:
    """Press a button of the player with the mouse."""
    show_controls(page)
    page.locator(".player").get_by_role("button", name=name).click()


def choose(page: Page, *choices: tuple[str, str]) -> None:
    """Choose each of these in the menus of the player's settings, and close the settings."""
    press(page, "Settings")
    for menu, choice in choices:
        wait_for_animations(page)
        page.get_by_role("menuitem", name=menu).click()
        expect(page.get_by_role("menuitemradio", name=choice, exact=True)).to_be_visible()
        wait_for_animations(page)
        page.get_by_role("menuitemradio", name=choice, exact=True).click()
        expect(page.get_by_role("menuitemradio")).to_have_count(0)
        expect(page.get_by_role("menuitem", name=menu)).to_contain_text(choice)
    wait_for_animations(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)


def visible_subtitles(page: Page) -> list[str]:
    """The languages of the subtitles that are shown."""
    found: list[str] = page.evaluate(f"{SUBTITLES}.filter(t => t.mode === 'showing').map(t => t.language)")
    return found


def wait_for_subtitle(page: Page, text: str) -> None:
    """Wait until the subtitles show this text."""
    until(page, f"{SUBTITLES}.find(t => t.mode === 'showing')?.activeCues?.[0]?.text === {text!r}")


def wait_for_exact_position(page: Page, seconds: float) -> None:
    """Wait until the video is at this frame, not only the slider of the player."""
    until(page, f"Math.abs({VIDEO}.currentTime - {seconds}) < {FRAME / 2}")


def pause(page: Page, key: str = "k") -> None:
    """Pause with this key."""
    _toggle(page, key, "Pause", "Play")
    until(page, f"{VIDEO}.paused")


def play(page: Page, key: str = "k") -> None:
    """Start playback with this key."""
    _toggle(page, key, "Play", "Pause")
    until(page, f"!{VIDEO}.paused")


def _toggle(page: Page, key: str, before: str, after: str) -> None:
    button = page.locator(".media-play-button")
    expect(button).to_have_attribute("aria-label", before)
    page.keyboard.press(key)
    expect(button).to_have_attribute("aria-label", after)


def press_every_key(page: Page) -> None:
    """Press every key. The video must play, have subtitles and be minutes long; it is paused afterwards."""
    for key in ("k", "Space"):
        pause(page, key)
        play(page, key)
    pause(page)

    duration = float(page.evaluate(f"{VIDEO}.duration"))
    for digit in (9, 8, 7, 6, 5, 4, 3, 2, 0, 1):
        page.keyboard.press(str(digit))
        wait_for_exact_position(page, digit / 10 * duration)
    position = position_of(page)
    for key, step in (("l", 10), ("j", -10), ("ArrowRight", 5), ("ArrowLeft", -5)):
        position += step
        page.keyboard.press(key)
        wait_for_exact_position(page, position)
    for key, step in ((".", 1), (",", -1)):
        position += step * FRAME
        page.keyboard.press(key)
        wait_for_exact_position(page, position)

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
        expect(speed).to_contain_text(f"{rate}{TIMES_SIGN}")
    page.keyboard.press("c")
    wait_for(lambda: visible_subtitles(page) == ["en"], 15, "subtitles in the language of the browser")
    wait_for_subtitle(page, "A ball bounces")
    page.keyboard.press("c")
    wait_for(lambda: visible_subtitles(page) == [], 15, "no subtitles")

    for key, name, element in (
        ("f", "full screen", "fullscreenElement"),
        ("i", "picture-in-picture", "pictureInPictureElement"),
    ):
        for word, operator in (("Exit", "!=="), ("Enter", "===")):
            page.keyboard.press(key)
            until(page, f"document.{element} {operator} null")
            expect(page.locator(".player").get_by_label(f"{word} {name}")).to_have_count(1)
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def use_every_menu(page: Page) -> None:
    """Choose from every menu, and press every button. The video must play and have subtitles; it still plays afterwards."""
    choose(page, ("Subtitles", "German"), ("Speed", f"1.5{TIMES_SIGN}"))
    assert visible_subtitles(page) == ["de"]
    wait_for_subtitle(page, "Ein Ball hüpft")
    assert page.evaluate(f"{VIDEO}.playbackRate") == 1.5
    choose(page, ("Speed", f"1{TIMES_SIGN}"), ("Subtitles", "Off"))
    assert visible_subtitles(page) == []
    assert page.evaluate(f"{VIDEO}.playbackRate") == 1

    show_controls(page)
    player = page.locator(".player")
    player.get_by_role("button", name="Mute").hover()
    volume = page.get_by_role("slider", name="Volume")
    for key, value in (("Home", 0), ("End", 1)):
        volume.press(key)
        until(page, f"{VIDEO}.volume === {value}")
    for name, condition in (
        ("Mute", f"{VIDEO}.muted"),
        ("Unmute", f"!{VIDEO}.muted"),
        ("Turn on subtitles", f"{SUBTITLES}.some(t => t.mode === 'showing')"),
        ("Turn off subtitles", f"{SUBTITLES}.every(t => t.mode !== 'showing')"),
        ("Pause", f"{VIDEO}.paused"),
        ("Play", f"!{VIDEO}.paused"),
    ):
        player.get_by_role("button", name=name).click()
        until(page, condition)
    for name, condition in (
        ("Enter full screen", "document.fullscreenElement !== null"),
        ("Exit full screen", "document.fullscreenElement === null"),
        ("Enter picture-in-picture", "document.pictureInPictureElement !== null"),
        ("Exit picture-in-picture", "document.pictureInPictureElement === null"),
    ):
        press(page, name)  # the controls have moved
        until(page, condition)
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
    wait_for_position(page, position_of(page) + 0.5)

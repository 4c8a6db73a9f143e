"""A headless Chromium on Trio, driven by the DevTools protocol. It knows no host but this machine."""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import trio
import trio_websocket

START_DEADLINE = 60.0
ANSWER_DEADLINE = 30.0
CLOSE_DEADLINE = 5.0
LARGEST_MESSAGE = 1 << 26
"""Bytes: a screenshot is one message."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--remote-debugging-port=0",
    # What asks for another host gets no address for it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class PageError(Exception):
    """The page, or the browser, said no."""


class Page:
    """One tab. `errors` are those of its console, `requests` and `responses` the events of its network."""

    def __init__(self, socket: trio_websocket.WebSocketConnection) -> None:
        self.errors: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []
        self._socket = socket
        self._session: str | None = None
        self._calls: dict[int, trio.MemorySendChannel[dict[str, Any]]] = {}
        self._count = 0

    async def open(self) -> None:
        """Make the tab."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol. Raises `PageError` if it is refused, `trio.TooSlowError`."""
        self._count += 1
        number = self._count
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        sender, receiver = trio.open_memory_channel[dict[str, Any]](1)
        self._calls[number] = sender
        try:
            with trio.fail_after(ANSWER_DEADLINE):
                await self._socket.send_message(json.dumps(message))
                answer = await receiver.receive()
        finally:
            del self._calls[number]
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def quit(self) -> None:
        """End the browser. Further calls are refused."""
        self._session = None
        await self.call("Browser.close")

    async def listen(self) -> None:
        """Read what the browser says, until it goes."""
        with suppress(trio_websocket.ConnectionClosed):
            while True:
                message = json.loads(await self._socket.get_message())
                if "id" not in message:
                    self._note(message["method"], message.get("params", {}))
                elif message["id"] in self._calls:
                    self._calls[message["id"]].send_nowait(message)

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(params["request"])
            case "Network.responseReceived":
                self.responses.append(params["response"])
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "assert"):
                self.errors.append(json.dumps(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.errors.append(f"{params['entry']['text']} ({params['entry'].get('url')})")

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, or of its promise. Raises `PageError` with what it threw."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise PageError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def wait_for(self, condition: str, timeout: float = 15.0) -> None:
        """Poll a JavaScript condition until it holds; fail after `timeout` seconds."""
        with trio.move_on_after(timeout):
            while not await self.evaluate(f"Boolean({condition})"):
                await trio.sleep(0.05)
            return
        raise AssertionError(f"waited {timeout} s for {condition}; console: {self.errors}")

    async def goto(self, url: str) -> None:
        """Load a page, all of it."""
        answer = await self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise PageError(f"{url}: {answer['errorText']}")
        await self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def look(
        self, width: int, height: int, *, dark: bool = False, phone: bool = False, scale: int = 1
    ) -> None:
        """See the page on a screen of this size and colour."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=phone,
        )
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def press(self, key: str) -> None:
        """Press a key and let it go: "Enter", "Tab"."""
        codes = {"Enter": 13, "Tab": 9}
        text = {"text": "\r"} if key == "Enter" else {}
        event = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **event, **text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    async def type(self, text: str) -> None:
        """Type text into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def screenshot(self, path: Path) -> None:
        """Save what can be seen as PNG."""
        answer = await self.call("Page.captureScreenshot", format="png")
        await trio.Path(path).write_bytes(base64.b64decode(answer["data"]))


@asynccontextmanager
async def open_chromium(*flags: str) -> AsyncIterator[Page]:
    """A browser with one empty tab and a profile of its own. When the block ends, nothing is left of it."""
    profile = Path(tempfile.mkdtemp(prefix="chromium-"))
    try:
        process = await trio.lowlevel.open_process(
            ["chromium", *FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": str(profile)},
        )
        try:
            url = await _address(profile, process)
            async with trio.open_nursery() as nursery, _connected(url) as socket:
                page = Page(socket)
                nursery.start_soon(page.listen)
                await page.open()
                yield page
                with suppress(trio_websocket.ConnectionClosed, trio.TooSlowError, PageError):
                    await page.quit()
                nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                # It collects its own children when it goes by itself; what does not, is made to.
                with trio.move_on_after(CLOSE_DEADLINE):
                    await process.wait()
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
    finally:
        with trio.CancelScope(shield=True):
            await _remove(profile)


async def _address(profile: Path, process: trio.Process) -> str:
    """Where the browser listens: it writes that down when it does."""
    note = profile / "DevToolsActivePort"
    with trio.fail_after(START_DEADLINE):
        while True:
            assert process.poll() is None, f"chromium ended with {process.returncode}"
            if note.exists() and len(lines := note.read_text().split()) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await trio.sleep(0.02)


def _connected(url: str) -> AbstractAsyncContextManager[trio_websocket.WebSocketConnection]:
    connection: AbstractAsyncContextManager[trio_websocket.WebSocketConnection]
    connection = trio_websocket.open_websocket_url(url, max_message_size=LARGEST_MESSAGE)
    return connection


async def _remove(profile: Path) -> None:
    """Remove the profile, though a process that was just killed may still be writing to it."""
    with trio.move_on_after(CLOSE_DEADLINE):
        while profile.exists():
            shutil.rmtree(profile, ignore_errors=True)
            await trio.sleep(0.01)
    assert not profile.exists(), f"{profile} is left"

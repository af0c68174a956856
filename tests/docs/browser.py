"""A headless Chromium, spoken to through a pipe: the DevTools protocol with nothing but the standard library."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--hide-scrollbars", "--remote-debugging-pipe"),
]
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


def found():
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page; `messages` holds what it said: console output, exceptions, requests that failed."""

    def __init__(self, profile):
        read, child_write = os.pipe()
        child_read, self.write = os.pipe()
        # High numbers, so that neither of them is in the way of 3 and 4 in the child.
        ends = [os.dup(os.dup(end)) for end in (child_read, child_write)]
        command = [sys.executable, "-c", LAUNCH, *map(str, ends), found(), *FLAGS, f"--user-data-dir={profile}"]
        self.process = subprocess.Popen(
            [*command, "about:blank"], pass_fds=ends, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for end in (child_read, child_write, *ends):
            os.close(end)
        self.read, self.number, self.waiting, self.messages = read, 0, b"", []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Send a command and return its answer; events that come in between are kept as messages."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def open(self, url, width, height, dark=False, still=False):
        """Load a page at a size, in light or dark, and wait until it is there."""
        self.messages.clear()
        self.loaded = False
        self.show(width, height, dark, still)
        self.call("Page.navigate", url=url)
        while not self.loaded:
            self._next()
        self.ask("document.fonts.ready.then(() => 1)")

    def show(self, width, height, dark=False, still=False):
        """Give the page that is there a size and a scheme; still: for a reader who wants nothing to move."""
        wanted = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "",
        }
        self.call("Emulation.setEmulatedMedia", features=[{"name": k, "value": v} for k, v in wanted.items()])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def ask(self, expression):
        """Return the value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def key(self, name, code, text=""):
        """Press and release a key; text: what it types, which makes it a key press."""
        about = {"key": name, "code": name.strip() or "Space", "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def photograph(self, path):
        """Write what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.read)
        os.close(self.write)

    def _next(self):
        """Return the next message of the browser, at most a minute from now."""
        deadline = time.monotonic() + 60
        while b"\0" not in self.waiting:
            ready, _, _ = select.select([self.read], [], [], max(0, deadline - time.monotonic()))
            assert ready, "the browser says nothing"
            piece = os.read(self.read, 1 << 20)
            assert piece, "the browser has gone"
            self.waiting += piece
        line, _, self.waiting = self.waiting.partition(b"\0")
        message = json.loads(line)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, params):
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.messages.append(str(params["args"]))
        elif method == "Runtime.exceptionThrown":
            self.messages.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.messages.append(str(params["entry"]))
        elif method == "Network.loadingFailed":
            self.messages.append(str(params))
        elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(
            ("file:", "data:", "about:")
        ):
            self.messages.append("asked for " + params["request"]["url"])

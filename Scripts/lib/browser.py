"""A headless Chromium, driven over the DevTools protocol."""
import asyncio
import base64
import itertools
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

from websockets.asyncio.client import connect


class Browser:
    """`async with Browser() as browser:` starts Chromium and ends it."""

    async def __aenter__(self):
        self.profile = tempfile.mkdtemp(prefix="ringcast-browser-")
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-background-timer-throttling",
             "--disable-renderer-backgrounding", "--remote-debugging-port=0",
             f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = pathlib.Path(self.profile, "DevToolsActivePort")
        deadline = time.monotonic() + 30
        while not (port_file.exists() and port_file.read_text().count("\n")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                await self.__aexit__()
                raise RuntimeError("Chromium did not start")
            await asyncio.sleep(0.05)
        port, path = port_file.read_text().split()
        self.connection = await connect(f"ws://127.0.0.1:{port}{path}", max_size=None, compression=None)
        self.numbers = itertools.count(1)
        self.waiting = {}
        self.reader = asyncio.create_task(self.read())
        return self

    async def __aexit__(self, *_):
        if hasattr(self, "reader"):
            self.reader.cancel()
            await self.connection.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    async def read(self):
        async for text in self.connection:
            answer = json.loads(text)
            future = self.waiting.pop(answer.get("id"), None)
            if future and not future.done():
                if "error" in answer:
                    future.set_exception(RuntimeError(answer["error"]["message"]))
                else:
                    future.set_result(answer["result"])

    async def call(self, method, session=None, **parameters):
        number = next(self.numbers)
        self.waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await self.connection.send(json.dumps(message))
        return await asyncio.wait_for(self.waiting[number], 20)

    async def open(self, url, width=800, height=600):
        """A new tab, as a window of its own so that it is not treated as hidden."""
        target = await self.call("Target.createTarget", url=url, newWindow=True)
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = Tab(self, target["targetId"], attached["sessionId"])
        await tab.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        # A new tab begins with an empty document, which is complete.
        await tab.until("location.href !== 'about:blank' && document.readyState === 'complete'", 30)
        return tab


class Tab:
    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session

    async def call(self, method, **parameters):
        return await self.browser.call(method, self.session, **parameters)

    async def value(self, expression):
        """The value of a JavaScript expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    async def until(self, expression, seconds=10):
        """Whether the expression becomes true in time."""
        deadline = time.monotonic() + seconds
        while not await self.value(expression):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def type(self, selector, text):
        await self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.call("Input.insertText", text=text)

    async def press_enter(self):
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    async def click(self, selector):
        await self.value(f"document.querySelector({json.dumps(selector)}).click()")

    async def screenshot(self, path):
        answer = await self.call("Page.captureScreenshot", format="png")
        pathlib.Path(path).write_bytes(base64.b64decode(answer["data"]))

    async def close(self):
        await self.browser.call("Target.closeTarget", targetId=self.target)

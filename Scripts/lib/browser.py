"""A headless browser, driven by messages over a WebSocket: what Chromium and Firefox have in common."""
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
    """`async with Chromium() as browser:` starts it with an empty profile, and ends it."""

    name = ""

    def command(self):
        """What starts it, with `self.profile`."""
        raise NotImplementedError

    def address(self):
        """Where it listens; None as long as it does not."""
        raise NotImplementedError

    async def greet(self):
        """Whatever comes before everything else."""

    async def open(self, url, width=800, height=600):
        """A new tab, as a window of its own so that it is not treated as hidden."""
        raise NotImplementedError

    async def __aenter__(self):
        self.profile = tempfile.mkdtemp(prefix="ringcast-browser-")
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            await self.begin()
        except BaseException:
            # Nobody ends what has not begun.
            await self.__aexit__()
            raise
        return self

    async def begin(self):
        deadline = time.monotonic() + 60
        while not (address := self.address()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start")
            await asyncio.sleep(0.05)
        self.connection = await connect(address, max_size=None, compression=None)
        self.numbers = itertools.count(1)
        self.waiting = {}
        self.reader = asyncio.create_task(self.read())
        await self.greet()

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
                    error = answer["error"]
                    future.set_exception(RuntimeError(error["message"] if isinstance(error, dict) else answer["message"]))
                else:
                    future.set_result(answer["result"])

    async def send(self, method, parameters, **fields):
        """Calls a method, and waits for its result."""
        number = next(self.numbers)
        self.waiting[number] = asyncio.get_running_loop().create_future()
        await self.connection.send(json.dumps({"id": number, "method": method, "params": parameters, **fields}))
        return await asyncio.wait_for(self.waiting[number], 20)


class Tab:
    def __init__(self, browser):
        self.browser = browser

    async def value(self, expression):
        """The value of a JavaScript expression in the page."""
        raise NotImplementedError

    async def type(self, selector, text):
        raise NotImplementedError

    async def press_enter(self):
        raise NotImplementedError

    async def picture(self):
        """A PNG, in base 64."""
        raise NotImplementedError

    async def close(self):
        raise NotImplementedError

    async def until(self, expression, seconds=10):
        """Whether the expression becomes true in time."""
        deadline = time.monotonic() + seconds
        while not await self.value(expression):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def focus(self, selector):
        await self.value(f"document.querySelector({json.dumps(selector)}).focus()")

    async def click(self, selector):
        await self.value(f"document.querySelector({json.dumps(selector)}).click()")

    async def screenshot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(await self.picture()))

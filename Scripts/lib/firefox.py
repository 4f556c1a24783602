"""A headless Firefox, driven over WebDriver BiDi, which it speaks by itself."""
import json
import pathlib

from browser import Browser, Tab


class Firefox(Browser):
    name = "Firefox"

    def command(self):
        return ["firefox-esr", "--headless", "--no-remote", "--profile", self.profile, "--remote-debugging-port=0", "about:blank"]

    def address(self):
        file = pathlib.Path(self.profile, "WebDriverBiDiServer.json")
        try:
            place = json.loads(file.read_text())
        except (OSError, ValueError):
            return None  # it is not there, or not written to its end
        return f"ws://{place['ws_host']}:{place['ws_port']}/session"

    async def greet(self):
        await self.send("session.new", {"capabilities": {}})

    async def open(self, url, width=800, height=600):
        context = (await self.send("browsingContext.create", {"type": "window"}))["context"]
        tab = FirefoxTab(self, context)
        await tab.call("browsingContext.setViewport", viewport={"width": width, "height": height})
        await tab.call("browsingContext.navigate", url=url, wait="complete")
        return tab


class FirefoxTab(Tab):
    def __init__(self, browser, context):
        super().__init__(browser)
        self.context = context

    async def call(self, method, **parameters):
        return await self.browser.send(method, {"context": self.context, **parameters})

    async def value(self, expression):
        answer = await self.browser.send(
            "script.evaluate", {"expression": expression, "target": {"context": self.context}, "awaitPromise": True})
        if answer["type"] == "exception":
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']['text']}")
        return answer["result"].get("value")

    async def press(self, keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        await self.call("input.performActions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    async def type(self, selector, text):
        await self.focus(selector)
        await self.press(text)

    async def press_enter(self):
        await self.press("\ue007")

    async def picture(self):
        return (await self.call("browsingContext.captureScreenshot"))["data"]

    async def close(self):
        await self.call("browsingContext.close")

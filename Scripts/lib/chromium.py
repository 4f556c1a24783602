"""A headless Chromium, driven over the DevTools protocol."""
import pathlib

from browser import Browser, Tab


class Chromium(Browser):
    name = "Chromium"

    def command(self):
        return ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-background-timer-throttling",
                "--disable-renderer-backgrounding", "--remote-debugging-port=0",
                f"--user-data-dir={self.profile}", "about:blank"]

    def address(self):
        file = pathlib.Path(self.profile, "DevToolsActivePort")
        lines = file.read_text().split("\n") if file.exists() else []
        return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) > 1 else None

    async def open(self, url, width=800, height=600):
        target = await self.send("Target.createTarget", {"url": url, "newWindow": True})
        attached = await self.send("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        tab = ChromiumTab(self, target["targetId"], attached["sessionId"])
        await tab.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        # A new tab begins with an empty document, which is complete.
        await tab.until("location.href !== 'about:blank' && document.readyState === 'complete'", 30)
        return tab


class ChromiumTab(Tab):
    def __init__(self, browser, target, session):
        super().__init__(browser)
        self.target, self.session = target, session

    async def call(self, method, **parameters):
        return await self.browser.send(method, parameters, sessionId=self.session)

    async def value(self, expression):
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    async def type(self, selector, text):
        await self.focus(selector)
        await self.call("Input.insertText", text=text)

    async def press_enter(self):
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    async def picture(self):
        return (await self.call("Page.captureScreenshot", format="png"))["data"]

    async def close(self):
        await self.browser.send("Target.closeTarget", {"targetId": self.target})

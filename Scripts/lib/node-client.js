// Node's `ws` against /echo and /room: node node-client.js ws://127.0.0.1:PORT. Exit code 1 when something is not as it should be.
"use strict";
const assert = require("node:assert/strict");
const { once } = require("node:events");
const WebSocket = require("ws");

const base = process.argv[2];

// A client whose messages can be awaited one by one, those too that came before anyone asked.
async function join(path) {
    const socket = new WebSocket(base + path);
    const arrived = [], waiting = [];
    socket.on("message", (data, isBinary) => {
        const message = isBinary ? data : data.toString();
        if (waiting.length) waiting.shift()(message); else arrived.push(message);
    });
    await once(socket, "open");
    socket.next = () => arrived.length
        ? Promise.resolve(arrived.shift())
        : new Promise(resolve => waiting.push(resolve));
    return socket;
}

async function check(sentence, body) {
    await body();
    console.log(`  ok      Node: ${sentence}`);
}

async function main() {
    const echo = await join("/echo");
    const pongs = [];
    echo.on("pong", payload => pongs.push(payload.toString()));
    const big = Buffer.alloc(1 << 20, "ringcast");
    for (const message of ["héllo", "", Buffer.from([0, 1, 255]), Buffer.alloc(0), big]) {
        await check(`/echo gives back ${message.length} ${typeof message === "string" ? "characters" : "bytes"}`, async () => {
            echo.send(message);
            assert.deepEqual(await echo.next(), message);
        });
    }
    await check(echo.extensions ? `messages are compressed: ${echo.extensions}` : "no compression was agreed on", async () => {
        const texts = [0, 1, 2].map(number => `${number} ` + "the same again ".repeat(1000));
        for (const text of texts) echo.send(text);
        for (const text of texts) assert.equal(await echo.next(), text);
    });
    await check("/echo gives back a text sent in fragments", async () => {
        echo.send("one ", { fin: false });
        echo.ping("between fragments");
        echo.send("message", { fin: true });
        assert.equal(await echo.next(), "one message");
    });
    await check("pings are answered in order, with their payload", async () => {
        echo.ping("payload");
        echo.send("behind it");
        assert.equal(await echo.next(), "behind it");
        assert.deepEqual(pongs, ["between fragments", "payload"]);
    });
    for (const [code, reason] of [[1000, "bye"], [3456, "ünï"]]) {
        await check(`a close with ${code} is answered with ${code}`, async () => {
            const socket = await join("/echo");
            const closed = once(socket, "close");
            socket.close(code, reason);
            assert.equal((await closed)[0], code);
        });
    }
    await check("/room: two clients see each other come, talk and leave", async () => {
        const ada = await join("/room?name=Ada");
        const grace = await join("/room?name=Grace");
        assert.equal(await ada.next(), "* Grace joined");
        ada.send("hello");
        assert.equal(await grace.next(), "Ada: hello");
        grace.close();
        assert.equal(await ada.next(), "* Grace left");
        ada.close();
    });
    echo.close();
}

setTimeout(() => { console.error("  FAILED  Node: no answer in 30 s"); process.exit(1); }, 30_000).unref();
main().catch(error => { console.error(`  FAILED  Node: ${error.stack}`); process.exit(1); });

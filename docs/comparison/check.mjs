// Whether a program is the one that is compared: node check.mjs http://127.0.0.1:3000 ADMIN_KEY SERVER_PID
import assert from "node:assert/strict";
import WebSocket from "ws";

const [url, key, pid] = process.argv.slice(2);
const admin = { headers: { Authorization: `Bearer ${key}` } };

async function logIn(name) {
  const answer = await fetch(`${url}/login`, { method: "POST", body: JSON.stringify({ name }) });
  assert.equal(answer.status, 204);
  return answer.headers.get("set-cookie").split(";")[0];
}

function connect(headers) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/rooms/lobby%2F1`, { headers });
  socket.heard = [];
  socket.on("message", (data) => socket.heard.push(String(data)));
  socket.closed = new Promise((resolve) => socket.on("close", resolve));
  socket.answer = new Promise((resolve) => {
    socket.on("open", () => resolve(101));
    socket.on("unexpected-response", (_, answer) => resolve(answer.statusCode));
    socket.on("error", () => {});
  });
  return socket;
}

async function enter(name) {
  const socket = connect({ Cookie: await logIn(name) });
  assert.equal(await socket.answer, 101);
  return socket;
}

const news = (socket) => socket.heard.filter((text) => text !== "slower").map((text) => JSON.parse(text));
const texts = (socket) => news(socket).flatMap(({ lines }) => lines.map(({ text }) => text));
const members = (socket) => news(socket).findLast(({ members }) => members)?.members;

async function until(what, condition) {
  const end = Date.now() + 20000;
  while (!condition()) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  console.log("ok:", what);
}

assert.match(await (await fetch(url)).text(), /<title>Rooms<\/title>/);
assert.equal((await fetch(`${url}/login`, { method: "POST", body: "{}" })).status, 400);
assert.notEqual(await connect({}).answer, 101);
assert.notEqual(await connect({ Cookie: await logIn("eve"), Origin: "http://elsewhere.example" }).answer, 101);

const ann = await enter("ann");
for (let number = 1; number <= 60; number++) {
  ann.send(JSON.stringify({ text: `${number}` }));
  await new Promise((resolve) => setTimeout(resolve, 220));
}
await until("who says something hears it", () => texts(ann).length === 60);
const bob = await enter("bob");
await until("who comes late has the last 50", () => texts(bob).length === 50 && texts(bob)[0] === "11");
await until("all know who is there", () => `${members(ann)}` === "ann,bob" && `${members(bob)}` === "ann,bob");
for (let count = 0; count < 10; count++) bob.send(JSON.stringify({ text: "spam" }));
await until("who is too fast is told so", () => bob.heard.includes("slower"));
await until("what was too fast is not said", () => texts(ann).filter((text) => text === "spam").length === 5);
const twin = await enter("ann");
ann.terminate();
await until("one with two sockets is there once, until both are gone", () => `${members(bob)}` === "ann,bob");
twin.send("no JSON");
await until("who speaks no JSON leaves", () => `${members(bob)}` === "bob");
assert.equal(await twin.closed, 1007);
assert.equal((await fetch(`${url}/admin/rooms`)).status, 401);
assert.deepEqual(await (await fetch(`${url}/admin/rooms`, admin)).json(), { "lobby/1": ["bob"] });
assert.match(await (await fetch(`${url}/admin/metrics`, admin)).text(), /^[a-z_]*sockets(\{.*\})? 1$/m);
assert.equal((await fetch(`${url}/admin/rooms/lobby%2F1`, { ...admin, method: "DELETE" })).status, 204);
assert.equal(await bob.closed, 1001);
const last = await enter("last");
process.kill(Number(pid), "SIGTERM");
assert.ok([1000, 1001].includes(await last.closed));
console.log("ok: the admin empties rooms, and the end is a graceful one");

// Rooms on Node and ws: ADMIN_KEY=secret node rooms.mjs
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

class Room {
  sockets = new Set();
  lines = [];
  get members() {
    return [...new Set([...this.sockets].map((ws) => ws.member.name))].sort();
  }
}

const adminKey = process.env.ADMIN_KEY;
if (!adminKey) throw new Error("ADMIN_KEY is not set");
const page = readFileSync(new URL("page.html", import.meta.url));
const rooms = new Map();
const sessions = new Map();
let messages = 0;

// As a database would be asked.
const nameOf = async (session) => sessions.get(session);

const cookie = (request, name) =>
  (request.headers.cookie ?? "").split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

function change(name, body) {
  const room = rooms.get(name) ?? new Room();
  body(room);
  if (room.sockets.size > 0) rooms.set(name, room);
  else rooms.delete(name);
  return room;
}

// Who does not read what waits for it is cut, or it would fill the memory.
function send(ws, text) {
  if (ws.bufferedAmount > 16 << 20) ws.terminate();
  else ws.send(text);
}

function publish(room, news) {
  const text = JSON.stringify(news);
  for (const ws of room.sockets) send(ws, text);
}

// Five messages a second, and five at once.
function mayTalk(member) {
  const now = performance.now();
  member.allowance = Math.min(5, member.allowance + ((now - member.since) / 1000) * 5);
  member.since = now;
  if (member.allowance < 1) return false;
  member.allowance--;
  return true;
}

async function body(request) {
  let text = "";
  for await (const part of request.setEncoding("utf8")) {
    text += part;
    if (text.length > 65536) throw new Error("too long");
  }
  return JSON.parse(text);
}

async function logIn(request, response) {
  const name = await body(request).then((login) => login?.name, () => null);
  if (typeof name !== "string" || name.length < 1 || name.length > 32) return response.writeHead(400).end();
  const session = randomUUID();
  sessions.set(session, name);
  response.writeHead(204, { "Set-Cookie": `session=${session}; Path=/; HttpOnly; SameSite=Lax` }).end();
}

function administer(request, response, path) {
  if (request.headers.authorization !== `Bearer ${adminKey}`) return response.writeHead(401).end();
  if (request.method === "GET" && path === "/admin/metrics") {
    return response.end(
      `# TYPE rooms_sockets gauge\nrooms_sockets ${sockets.clients.size}\n` +
      `# TYPE rooms_messages_total counter\nrooms_messages_total ${messages}\n`);
  }
  if (request.method === "GET" && path === "/admin/rooms") {
    response.writeHead(200, { "Content-Type": "application/json" });
    return response.end(JSON.stringify(Object.fromEntries([...rooms].map(([name, room]) => [name, room.members]))));
  }
  const name = path.match(/^\/admin\/rooms\/([^/]+)$/)?.[1];
  if (request.method !== "DELETE" || !name) return response.writeHead(404).end();
  for (const ws of rooms.get(decodeURIComponent(name))?.sockets ?? []) ws.close(1001);
  response.writeHead(204).end();
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://server");
  if (pathname === "/" && request.method === "GET") {
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
  } else if (pathname === "/login" && request.method === "POST") {
    logIn(request, response);
  } else if (pathname.startsWith("/admin/")) {
    administer(request, response, pathname);
  } else {
    response.writeHead(404).end();
  }
});

const sockets = new WebSocketServer({ noServer: true, maxPayload: 4096 });

server.on("upgrade", async (request, socket, head) => {
  const refuse = (status) => socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  socket.on("error", () => socket.destroy());
  const { origin, host } = request.headers;
  const room = new URL(request.url, "http://server").pathname.match(/^\/rooms\/([^/]+)$/)?.[1];
  if (!room) return refuse("404 Not Found");
  if (origin && new URL(origin).host !== host) return refuse("403 Forbidden");
  const name = await nameOf(cookie(request, "session"));
  if (!name) return refuse("401 Unauthorized");
  sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.member = { name, room: decodeURIComponent(room), allowance: 5, since: performance.now() };
    enter(ws);
  });
});

function enter(ws) {
  ws.isAlive = true;
  ws.on("pong", () => (ws.isAlive = true));
  ws.on("error", () => ws.terminate());
  ws.on("message", (data) => say(ws, data));
  ws.on("close", () => {
    const room = change(ws.member.room, (room) => room.sockets.delete(ws));
    publish(room, { members: room.members, lines: [] });
  });
  const room = change(ws.member.room, (room) => room.sockets.add(ws));
  send(ws, JSON.stringify({ lines: room.lines }));
  publish(room, { members: room.members, lines: [] });
}

function say(ws, data) {
  messages++;
  if (!mayTalk(ws.member)) return send(ws, "slower");
  let text;
  try {
    text = JSON.parse(data).text;
  } catch {}
  if (typeof text !== "string") return ws.close(1007);
  const line = { name: ws.member.name, text };
  const room = change(ws.member.room, (room) => (room.lines = [...room.lines.slice(-49), line]));
  publish(room, { lines: [line] });
}

// Who is gone without a word does not answer.
const heartbeat = setInterval(() => {
  for (const ws of sockets.clients) {
    if (!ws.isAlive) ws.terminate();
    ws.isAlive = false;
    ws.ping();
  }
}, 60000);

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    clearInterval(heartbeat);
    for (const ws of sockets.clients) ws.close(1001);
    server.close(() => process.exit());
    setTimeout(() => process.exit(), 5000);
  });
}

server.listen(process.env.PORT ?? 3000, () => console.log(`rooms on http://127.0.0.1:${server.address().port}`));

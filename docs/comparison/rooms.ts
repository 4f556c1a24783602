// Rooms on Bun: ADMIN_KEY=secret bun rooms.ts
import type { ServerWebSocket } from "bun";

type Member = { name: string; room: string; allowance: number; since: number };
type Line = { name: string; text: string };
type News = { members?: string[]; lines: Line[] };

class Room {
  sockets = new Set<ServerWebSocket<Member>>();
  lines: Line[] = [];
  get members() {
    return [...new Set([...this.sockets].map((ws) => ws.data.name))].sort();
  }
}

const adminKey = process.env.ADMIN_KEY;
if (!adminKey) throw new Error("ADMIN_KEY is not set");
const page = await Bun.file(`${import.meta.dir}/page.html`).text();
const rooms = new Map<string, Room>();
const sessions = new Map<string, string>();
let messages = 0;

// As a database would be asked.
const nameOf = async (session: string | null) => sessions.get(session ?? "");

function change(name: string, body: (room: Room) => void): Room {
  const room = rooms.get(name) ?? new Room();
  body(room);
  if (room.sockets.size > 0) rooms.set(name, room);
  else rooms.delete(name);
  return room;
}

const publish = (ws: ServerWebSocket<Member>, news: News) =>
  server.publish(`room/${ws.data.room}`, JSON.stringify(news));

// Five messages a second, and five at once.
function mayTalk(member: Member): boolean {
  const now = performance.now();
  member.allowance = Math.min(5, member.allowance + ((now - member.since) / 1000) * 5);
  member.since = now;
  if (member.allowance < 1) return false;
  member.allowance--;
  return true;
}

const admin = (answer: (request: Bun.BunRequest<any>) => Response) => (request: Bun.BunRequest<any>) =>
  request.headers.get("authorization") === `Bearer ${adminKey}` ? answer(request) : new Response(null, { status: 401 });

const server = Bun.serve<Member>({
  port: Number(process.env.PORT ?? 3000),
  routes: {
    "/": new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8" } }),
    "/login": {
      POST: async (request) => {
        const name = await request.json().then((login) => login?.name, () => null);
        if (typeof name !== "string" || name.length < 1 || name.length > 32) return new Response(null, { status: 400 });
        const session = crypto.randomUUID();
        sessions.set(session, name);
        request.cookies.set("session", session, { httpOnly: true, sameSite: "lax" });
        return new Response(null, { status: 204 });
      },
    },
    "/rooms/:room": async (request, server) => {
      const origin = request.headers.get("origin");
      if (origin && new URL(origin).host !== request.headers.get("host")) return new Response(null, { status: 403 });
      const name = await nameOf(request.cookies.get("session"));
      if (!name) return new Response(null, { status: 401 });
      const data = { name, room: request.params.room, allowance: 5, since: performance.now() };
      if (!server.upgrade(request, { data })) return new Response(null, { status: 426 });
    },
    "/admin/metrics": {
      GET: admin(() => new Response(
        `# TYPE rooms_sockets gauge\nrooms_sockets ${server.pendingWebSockets}\n` +
        `# TYPE rooms_messages_total counter\nrooms_messages_total ${messages}\n`)),
    },
    "/admin/rooms": {
      GET: admin(() => Response.json(Object.fromEntries([...rooms].map(([name, room]) => [name, room.members])))),
    },
    "/admin/rooms/:room": {
      DELETE: admin((request) => {
        for (const ws of rooms.get(request.params.room)?.sockets ?? []) ws.close(1001);
        return new Response(null, { status: 204 });
      }),
    },
  },
  websocket: {
    maxPayloadLength: 4096,
    open(ws) {
      ws.subscribe(`room/${ws.data.room}`);
      const room = change(ws.data.room, (room) => room.sockets.add(ws));
      ws.send(JSON.stringify({ lines: room.lines }));
      publish(ws, { members: room.members, lines: [] });
    },
    message(ws, message) {
      messages++;
      if (!mayTalk(ws.data)) return void ws.send("slower");
      let text: unknown;
      try {
        text = JSON.parse(String(message)).text;
      } catch {}
      if (typeof text !== "string") return ws.close(1007);
      const line = { name: ws.data.name, text };
      change(ws.data.room, (room) => (room.lines = [...room.lines.slice(-49), line]));
      publish(ws, { lines: [line] });
    },
    close(ws) {
      const room = change(ws.data.room, (room) => room.sockets.delete(ws));
      publish(ws, { members: room.members, lines: [] });
    },
  },
});
console.log(`rooms on http://127.0.0.1:${server.port}`);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, async () => {
    for (const room of rooms.values()) for (const ws of room.sockets) ws.close(1001);
    await Promise.race([server.stop(), Bun.sleep(5000)]);
    process.exit();
  });
}

// Deno.serve with Deno.upgradeWebSocket: deno run --allow-net --allow-read deno.ts PORT plain [CERTIFICATE KEY]
// The platform frames a message per receiver; it has no topics of its own. The endpoints are those of `ringcast serve`.
const [port, , certificate, key] = Deno.args;
const groups = new Map<string, Set<WebSocket>>();

function join(group: string, socket: WebSocket) {
    const members = groups.get(group) ?? new Set<WebSocket>();
    groups.set(group, members);
    socket.onopen = () => members.add(socket);
    socket.onclose = () => {
        members.delete(socket);
        if (!members.size) groups.delete(group);
    };
}

function publish(group: string, message: string | ArrayBuffer, except?: WebSocket) {
    for (const member of groups.get(group) ?? []) {
        if (member !== except && member.readyState === WebSocket.OPEN) member.send(message);
    }
}

function answer(request: Request): Response {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return new Response("nothing here", { status: 404 });
    const url = new URL(request.url);
    const [, kind, topic] = url.pathname.split("/");
    if (!["echo", "chat", "topic", "publish"].includes(kind)) return new Response("nothing here", { status: 404 });
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 120 });
    socket.binaryType = "arraybuffer";
    socket.onerror = () => {};
    if (kind === "echo") {
        socket.onmessage = ({ data }) => socket.send(data);
    } else if (kind === "chat") {
        const name = url.searchParams.get("name");
        join("chat", socket);
        socket.onmessage = ({ data }) => publish("chat", name && typeof data === "string" ? `${name}: ${data}` : data);
    } else {
        const group = `topic/${topic}`;
        if (kind === "topic") join(group, socket);
        socket.onmessage = ({ data }) => publish(group, data, socket);
    }
    return response;
}

const listen = { hostname: "127.0.0.1", port: Number(port), onListen: () => {} };
if (certificate) {
    Deno.serve({ ...listen, cert: Deno.readTextFileSync(certificate), key: Deno.readTextFileSync(key) }, answer);
} else {
    Deno.serve(listen, answer);
}

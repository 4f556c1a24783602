// Bun.serve with its own topics: bun run bun.ts PORT plain|compress [CERTIFICATE KEY]
// A publish is framed once, by the platform. The endpoints are those of `ringcast serve`.
const [port, mode, certificate, key] = process.argv.slice(2);
type Member = { kind: string; topic: string; name: string | null };

Bun.serve<Member, never>({
    hostname: "127.0.0.1",
    port: Number(port),
    tls: certificate ? { cert: Bun.file(certificate), key: Bun.file(key) } : undefined,
    fetch(request, server) {
        const url = new URL(request.url);
        const [, kind, topic] = url.pathname.split("/");
        const isKnown = ["echo", "chat", "topic", "publish"].includes(kind);
        const data = { kind, topic: kind === "chat" ? "chat" : `topic/${topic}`, name: url.searchParams.get("name") };
        if (isKnown && server.upgrade(request, { data })) return;
        return new Response("nothing here", { status: 404 });
    },
    websocket: {
        maxPayloadLength: 16 << 20,
        backpressureLimit: 16 << 20,
        idleTimeout: 120,
        // Without context takeover on either side.
        perMessageDeflate: mode === "compress" && { compress: "shared", decompress: "shared" },
        open(socket) {
            const { kind, topic } = socket.data;
            if (kind === "chat" || kind === "topic") socket.subscribe(topic);
        },
        message(socket, message) {
            const { kind, topic, name } = socket.data;
            const compresses = mode === "compress" && message.length >= 1024;
            if (kind === "echo") {
                socket.send(message, compresses);
            } else if (kind === "chat") {
                const text = name && typeof message === "string" ? `${name}: ${message}` : message;
                socket.publish(topic, text, compresses);
                socket.send(text, compresses);
            } else {
                socket.publish(topic, message, compresses);
            }
        },
    },
});

// Node's `ws`: node ws.js PORT plain|compress [CERTIFICATE KEY]
// The library frames a message per receiver; it has no topics of its own. The endpoints are those of `ringcast serve`.
"use strict";
const fs = require("fs");
const { WebSocketServer } = require("ws");

const [port, mode, certificate, key] = process.argv.slice(2);
const http = certificate
    ? require("https").createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
    : require("http").createServer();
const server = new WebSocketServer({
    server: http,
    maxPayload: 16 << 20,
    perMessageDeflate: mode === "compress" && { serverNoContextTakeover: true, clientNoContextTakeover: true },
});
const groups = new Map();

function join(group, socket) {
    if (!groups.has(group)) groups.set(group, new Set());
    const members = groups.get(group);
    members.add(socket);
    socket.on("close", () => {
        members.delete(socket);
        if (!members.size) groups.delete(group);
    });
}

function publish(group, message, binary, except) {
    for (const member of groups.get(group) ?? []) if (member !== except) member.send(message, { binary });
}

server.on("connection", (socket, request) => {
    const url = new URL(request.url, "http://localhost");
    const [, kind, topic] = url.pathname.split("/");
    socket.on("error", () => {});
    if (kind === "echo") {
        socket.on("message", (message, binary) => socket.send(message, { binary }));
    } else if (kind === "chat") {
        const name = url.searchParams.get("name");
        join("chat", socket);
        socket.on("message", (message, binary) =>
            publish("chat", name && !binary ? `${name}: ${message}` : message, binary));
    } else if (kind === "topic" || kind === "publish") {
        const group = `topic/${topic}`;
        if (kind === "topic") join(group, socket);
        socket.on("message", (message, binary) => publish(group, message, binary, socket));
    } else {
        socket.close(1008, "there is nothing here");
    }
});
http.listen(Number(port), "127.0.0.1");

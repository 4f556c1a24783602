// A broadcast server on Node's `ws`: what /publish sends goes to everyone at /topic. node node-broadcast.js PORT
"use strict";
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({
    host: "127.0.0.1",
    port: Number(process.argv[2]),
    perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 1024 },
});
const subscribers = new Set();
server.on("connection", (socket, request) => {
    if (request.url === "/publish") {
        socket.on("message", data => { for (const subscriber of subscribers) subscriber.send(data.toString()); });
    } else {
        subscribers.add(socket);
        socket.on("close", () => subscribers.delete(socket));
    }
});

// Echo servers on Node's `ws`, plain and under TLS with compression: node node-server.js CERTIFICATE KEY. Prints both ports.
"use strict";
const fs = require("node:fs");
const https = require("node:https");
const { once } = require("node:events");
const { WebSocketServer } = require("ws");

function echo(server) {
    server.on("connection", socket => {
        socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
}

async function main() {
    const [certificate, key] = process.argv.slice(2, 4);
    const plain = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await once(plain, "listening");
    echo(plain);
    const secure = https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) });
    echo(new WebSocketServer({ server: secure, perMessageDeflate: { threshold: 0 } }));
    secure.listen(0, "localhost");
    await once(secure, "listening");
    console.log(plain.address().port, secure.address().port);
}

main();

import Benchmark
import WebSocketProtocol

/// What a new connection costs beyond reading its HTTP request.
func handshakeBenchmarks() {
    Benchmark("handshake.accept-value") { benchmark in
        for _ in benchmark.scaledIterations {
            blackHole(Handshake.acceptValue(forKey: "dGhlIHNhbXBsZSBub25jZQ=="))
        }
    }
    Benchmark("handshake.request") { benchmark in
        let request = HandshakeRequest(
            method: "GET", host: "example.com", upgrade: "websocket", connection: "keep-alive, Upgrade",
            key: "dGhlIHNhbXBsZSBub25jZQ==", version: "13", subprotocols: ["chat, superchat"],
            origin: "https://example.com")
        for _ in benchmark.scaledIterations {
            blackHole(try? Handshake.accept(request, subprotocols: ["chat"]))
        }
    }
}

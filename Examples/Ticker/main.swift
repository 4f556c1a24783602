// Work beside the sockets: a task publishes the time every second, and each socket can ask for slow work of its own.
import Ringcast

let ticker = WebSocketHandlers<Int>(
    open: { ws in ws.subscribe(to: "time") },
    message: { ws, _ in
        ws.data += 1
        // The socket itself cannot be captured; a reference can. It is safe anywhere, and does nothing once it is
        // closed.
        ws.task { socket in
            try? await Task.sleep(for: .seconds(1))
            let count = await socket.perform { ws in ws.data }
            socket.send("slow work is done, and you have asked \(count ?? 0) times")
        }
    })

let server = try Server(configuration: .init(originPolicy: .any)) { _ in .upgrade(to: ticker, with: 0) }
Task {
    let start = ContinuousClock.now
    while true {
        try await Task.sleep(for: .seconds(1))
        server.publish("\(ContinuousClock.now - start) since the start", to: "time")
    }
}
try await server.run()

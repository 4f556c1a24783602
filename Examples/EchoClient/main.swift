import Glibc
import Ringcast
import Synchronization

// A client that gives back whatever it gets, on handlers. It plays all cases of an Autobahn fuzzing server, which ends
// each by closing: echo-client ws://127.0.0.1:9001

/// One connection after the other: what came last, and who waits for its end.
final class Visit: Sendable {
    let last = Mutex("")
    let end: CheckedContinuation<String, any Error>

    init(_ end: CheckedContinuation<String, any Error>) { self.end = end }
}

let options = WebSocketOptions(
    maxPayloadLength: 32 << 20, idleTimeout: .zero,
    perMessageDeflate: PerMessageDeflate(compress: .dedicated, decompress: .dedicated))

let echo = WebSocketHandlers<Visit>(
    options: options,
    message: { ws, message in ws.send(message) },
    close: { ws, _, _ in ws.data.end.resume(returning: "") })

let listen = WebSocketHandlers<Visit>(
    options: options,
    message: { ws, message in
        let text = message.string
        ws.data.last.withLock { $0 = text }
    },
    close: { ws, _, _ in ws.data.end.resume(returning: ws.data.last.withLock { $0 }) })

let environment = unsafe getenv("AUTOBAHN_URL").map { unsafe String(cString: $0) }
let server = CommandLine.arguments.dropFirst().first ?? environment ?? "ws://127.0.0.1:9001"
let group = try ClientGroup()

/// Connects and returns, at the end, the last text that came, if it is listened to.
func visit(_ path: String, _ handlers: WebSocketHandlers<Visit>) async throws -> String {
    let request = try ClientRequest(server + path)
    return try await withCheckedThrowingContinuation { continuation in
        group.connect(request, handlers: handlers, with: Visit(continuation)) { continuation.resume(throwing: $0) }
    }
}

let count = Int(try await visit("/getCaseCount", listen)) ?? 0
for number in stride(from: 1, through: count, by: 1) {
    do {
        _ = try await visit("/runCase?case=\(number)&agent=ringcast-client", echo)
    } catch {
        print("case \(number): \(error)")
    }
}
_ = try await visit("/updateReports?agent=ringcast-client", listen)

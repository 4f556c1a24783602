import Glibc
import Ringcast

// As many clients as it is told, on one loop, which do nothing but answer pings. It reads numbers from standard input,
// and prints each when so many are connected: many-clients ws://127.0.0.1:3000/echo
// What they cost in memory is what Scripts/idle-memory --client measures.

let handlers = WebSocketHandlers<Void>(
    options: .init(idleTimeout: .zero), close: { _, code, _ in print("closed", code) })
let request = try ClientRequest(CommandLine.arguments.dropFirst().first ?? "ws://127.0.0.1:3000/echo")
let group = try ClientGroup()
var begun = 0

while let line = readLine(), let count = Int(line) {
    while begun < count {
        group.connect(request, handlers: handlers, with: ()) { print($0) }
        begun += 1
        // A listener's backlog is a few thousand, and a client that connects in one go would fill it.
        while begun - group.pendingWebSockets > 500 { try await Task.sleep(for: .milliseconds(1)) }
    }
    while group.pendingWebSockets < count { try await Task.sleep(for: .milliseconds(10)) }
    print(count)
    fflush(nil)
}

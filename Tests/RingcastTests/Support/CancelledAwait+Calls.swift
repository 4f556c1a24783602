import Reactor
import Synchronization
import Testing
import WebSocketProtocol

@testable import Ringcast

extension CancelledAwait {
    /// Gives `body` a call that waits at this place, again and again, and the group that it uses.
    func withCalls(_ body: (ClientGroup, WaitingCall) async throws -> Void) async throws {
        switch self {
        case .nameQueue, .nameResolution: try await withBusyResolver(body)
        case .connection:
            let hole = BlackHole()
            try await connecting(to: try ClientRequest("ws://127.0.0.1:\(hole.port)/"), until: .connection, body)
        case .proxy, .tls, .answer:
            let silent = ScriptedServer { try $0.readToEnd() }
            try await silent.run { try await connecting(to: try request(silent.port), until: phase, body) }
        case .redirect:
            let silent = ScriptedServer { try $0.readToEnd() }
            let first = ScriptedServer { peer in
                _ = try peer.readHead()
                try peer.send("HTTP/1.1 302 Found\r\nLocation: \(silent.url)\r\n\r\n")
            }
            try await silent.run {
                try await first.run {
                    var request = try ClientRequest(first.url)
                    request.maxRedirects = 1
                    try await connecting(to: request, until: .answer, at: silent.port, body)
                }
            }
        case .backoff: try await withBackoff(body)
        case .message, .backpressure, .pong: try await withSocket(body)
        case .replacement, .close: try await closing(body)
        }
    }

    private var phase: HandshakePhase {
        switch self {
        case .proxy: .proxy
        case .tls: .tls
        default: .answer
        }
    }

    private func request(_ port: Int) throws -> ClientRequest {
        if self == .tls { return try ClientRequest("wss://127.0.0.1:\(port)/") }
        guard self == .proxy else { return try ClientRequest(port: port) }
        var request = try ClientRequest("ws://somewhere.invalid/")
        request.proxy = HTTPProxy(hostname: "127.0.0.1", port: port)
        return request
    }

    private func connecting(
        to request: ClientRequest, until phase: HandshakePhase, at port: Int? = nil,
        _ body: (ClientGroup, WaitingCall) async throws -> Void
    ) async throws {
        try await withGroup { group in
            let call = WaitingCall(
                call: { _ = try await WebSocketClient.connect(request, group: group) },
                isWaiting: {
                    group.attemptCount { $0.phase == phase && $0.url.port == port ?? $0.url.port } == 1
                })
            try await body(group, call)
        }
    }

    private func withGroup(
        _ resolver: Resolver = .shared, _ body: (ClientGroup) async throws -> Void
    ) async throws {
        let group = try ClientGroup(configuration: ClientGroupConfiguration(), resolver: resolver)
        defer {
            group.stop()
            group.wait()
        }
        try await body(group)
    }

    /// One thread looks names up, and each takes until it is told to go on.
    private func withBusyResolver(_ body: (ClientGroup, WaitingCall) async throws -> Void) async throws {
        let (asked, answered) = (Counter(), Counter())
        let resolver = Resolver(threadLimit: 1) { host, _ in
            let number = asked.add()
            while answered.value < number { pause(.milliseconds(1)) }
            return .failed(host)
        }
        // Until the end.
        defer { while resolver.threadCount > 0 { answered.add() } }
        let isQueued = self == .nameQueue
        if isQueued {
            _ = resolver.resolve("busy", port: 1) { _ in }
            while asked.value == 0 { pause(.milliseconds(1)) }
        }
        try await withGroup(resolver) { group in
            let request = try ClientRequest("ws://somewhere.invalid/")
            let call = WaitingCall(
                call: { _ = try await WebSocketClient.connect(request, group: group) },
                isWaiting: { isQueued ? resolver.waitingCount == 1 : asked.value > answered.value },
                reset: {
                    if !isQueued { answered.add() }
                    _ = eventually { isQueued ? resolver.waitingCount == 0 : resolver.threadCount == 0 }
                })
            try await body(group, call)
        }
    }

    private func withBackoff(_ body: (ClientGroup, WaitingCall) async throws -> Void) async throws {
        try await withGroup { group in
            let policy = ReconnectPolicy(
                initialDelay: .seconds(36_000), maxDelay: .seconds(36_000), isFinalError: { _ in false })
            let request = try ClientRequest("ws://127.0.0.1:1/")
            let call = WaitingCall(
                call: {
                    for try await _ in WebSocketClient.connections(to: request, group: group, policy: policy) {}
                },
                isWaiting: { group.count { $0.backoffs.count } == 1 },
                reset: { _ = eventually { group.count { $0.backoffs.count } == 0 } })
            try await body(group, call)
        }
    }

    /// One socket for all calls, to a server that says nothing and reads nothing.
    private func withSocket(_ body: (ClientGroup, WaitingCall) async throws -> Void) async throws {
        let end = Journal<Int>()
        let deaf = ScriptedServer { peer in
            try peer.upgrade()
            while end.entries.isEmpty { pause(.milliseconds(5)) }
        }
        try await deaf.run {
            defer { end.note(1) }
            try await withGroup { group in
                let socket = try await WebSocketClient.connect(try ClientRequest(deaf.url), group: group)
                let filling = self == .backpressure ? try await fill(socket, group) : nil
                try await body(group, call(on: socket))
                filling?.cancel()
                socket.terminate()
            }
        }
    }

    private func call(on socket: WebSocketClient) -> WaitingCall {
        let channel = socket.channel
        switch self {
        case .message:
            return WaitingCall(
                call: { for try await _ in socket.messages {} },
                isWaiting: { channel.state.withLock { $0.readers.count == 1 } })
        case .backpressure:
            return WaitingCall(
                call: { try await socket.send([UInt8](repeating: 1, count: 1_000)) },
                // The other one is that which has filled the buffers.
                isWaiting: { channel.state.withLock { $0.senders.count == 2 } })
        default:
            return WaitingCall(
                call: { try await socket.ping() }, isWaiting: { channel.state.withLock { $0.pings.count == 1 } })
        }
    }

    /// Sends until nothing goes out any more.
    private func fill(_ socket: WebSocketClient, _ group: ClientGroup) async throws -> Task<Void, any Error> {
        let sent = Counter()
        let filling = Task {
            while true {
                try await socket.send([UInt8](repeating: 1, count: 100_000))
                sent.add()
            }
        }
        var before = -1
        while before != sent.value || socket.channel.state.withLock({ $0.senders.isEmpty }) {
            before = sent.value
            try await Task.sleep(for: .milliseconds(200))
            // The loop has had its turn since then, however busy this machine is.
            for _ in 0..<3 { _ = group.count { _ in 0 } }
        }
        return filling
    }

    /// A socket for each call, to a server that does not answer its Close.
    private func closing(_ body: (ClientGroup, WaitingCall) async throws -> Void) async throws {
        let silent = ScriptedServer { peer in
            try peer.upgrade()
            try peer.readToEnd()
        }
        try await silent.run {
            try await withGroup { group in
                let request = try ClientRequest(silent.url)
                // Only a cut ends the connection.
                let options = WebSocketOptions(closeTimeout: .seconds(3_600))
                let latest = Latest()
                let close: @Sendable () async throws -> Void = {
                    let socket = try await WebSocketClient.connect(request, options: options, group: group)
                    latest.channel = socket.channel
                    await socket.close()
                }
                let replace: @Sendable () async throws -> Void = {
                    for try await socket in WebSocketClient.connections(to: request, options: options, group: group) {
                        latest.channel = socket.channel
                    }
                }
                let call = WaitingCall(
                    call: self == .close ? close : replace,
                    isWaiting: { latest.channel?.state.withLock { $0.closers.count == 1 } ?? false },
                    error: self == .close ? nil : .cancelled, reset: { latest.channel = nil })
                try await body(group, call)
            }
        }
    }
}

/// Counts from any thread.
private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }

    @discardableResult
    func add() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
}

/// The channel of the socket that a call is about.
private final class Latest: Sendable {
    private let current = Mutex<ClientChannel?>(nil)

    var channel: ClientChannel? {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}

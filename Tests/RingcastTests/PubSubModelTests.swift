import Glibc
import Ringcast
import Testing

/// Random use of topics over several loops, with real sockets, held against what SEMANTICS promises of publish and
/// subscribe: at most once; delivered if subscribed before the publish was made and below the backpressure limit; not
/// delivered if unsubscribed before it; in order from each loop to each subscriber, direct sends among them; in one
/// order for everybody where a topic has one.
///
/// `RINGCAST_SEED` repeats a run (as far as threads can be repeated), `RINGCAST_STEPS` makes it longer.
@Suite(.serialized) struct PubSubModelTests {
    @Test(.timeLimit(.minutes(60)))
    func `publish and subscribe over three loops do what the model says`() async throws { try await run() }

    /// Plain clients, clients of several windows, and such with and without context, in one audience.
    @Test(.timeLimit(.minutes(60)))
    func `so they do with compression`() async throws {
        try await run(
            SocketClient.dedicated, share: 4,
            offers: [
                [], SocketClient.offer(""), SocketClient.offer("server_no_context_takeover"),
                SocketClient.offer("server_no_context_takeover; server_max_window_bits=10"),
                SocketClient.offer("server_max_window_bits=8"),
            ])
    }

    /// - Parameter share: of the steps asked for, one of so many.
    private func run(
        _ compression: PerMessageDeflate = false, share: Int = 1, offers: [[String]] = [[]]
    ) async throws {
        let seed = Self.setting("RINGCAST_SEED").flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
        let steps = Self.setting("RINGCAST_STEPS").flatMap { Int($0) }.map { $0 / share } ?? 4_000
        print("the model test's seed is \(seed)")
        let board = ModelBoard(loopCount: PubSubModel.loopCount)
        let options = WebSocketOptions(
            backpressureLimit: PubSubModel.limit, idleTimeout: .zero, writeStallTimeout: .zero,
            perMessageDeflate: compression)
        let handlers = board.handlers(options: options)
        try await serving(
            {
                $0.loops = .count(PubSubModel.loopCount)
                $0.topics = ModelBoard.rules
            },
            fetch: { request in .upgrade(to: handlers, with: Int(request.query("member") ?? "") ?? -1) }
        ) { server in
            let model = PubSubModel(server: server, board: board, offers: offers, seed: seed)
            do {
                try model.run(steps: steps)
                #expect(model.order.comparisonCount > 0)
            } catch {
                Issue.record("seed \(seed), step \(model.stepCount): \(error)")
            }
        }
    }

    private static func setting(_ name: String) -> String? {
        // Safe: the string is copied at once; nothing here changes the environment.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

import HTTPTypes
import ReactorTesting
import Synchronization

@testable import Ringcast

/// A route that reads its bodies as they come, and what has become of them.
struct StreamingUpload: Sendable {
    let routes: Routes
    /// What readers have come to: `whole`, or the code of what they threw.
    let endings = Journal<String>()
    /// The lengths of the pieces.
    let pieces = Journal<Int>()
    private let gate: Gate

    /// - Parameter isHeld: whether the handler waits in front of each piece until `release`.
    init(
        limit: Int? = 1 << 30, window: Int = 65_536, isHeld: Bool = false,
        accept: (@Sendable (borrowing Request) throws -> Void)? = nil
    ) {
        let (endings, pieces, gate) = (endings, pieces, Gate(isOpen: !isHeld))
        self.gate = gate
        var routes = Routes()
        routes.post(
            "/upload", options: RouteOptions(bodyLimit: limit, streamsBody: true, accept: accept)
        ) { request in
            precondition(request.body.byteCount == 0)
            let body = request.body(streaming: window)
            return .deferred {
                var bytes: [UInt8] = []
                do {
                    await gate.pass()
                    for try await piece in body {
                        pieces.note(piece.count)
                        bytes += piece
                        await gate.pass()
                    }
                } catch {
                    endings.note("\((error as? RequestBodyError)?.code ?? "\(error)" as Any)")
                    throw error
                }
                endings.note("whole")
                return .response(.ok, bytes: bytes)
            }
        }
        routes.get("/next") { _ in .response(.ok, "next") }
        self.routes = routes
    }

    /// Lets the handler go on, for ever.
    func release() { gate.open() }

    static func head(_ fields: String..., path: String = "/upload") -> String {
        (["POST \(path) HTTP/1.1", "Host: test"] + fields).map { $0 + "\r\n" }.joined() + "\r\n"
    }

    static let next = "GET /next HTTP/1.1\r\nHost: test\r\n\r\n"

    /// What tasks wait at.
    final class Gate: Sendable {
        private let state: Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>

        init(isOpen: Bool) { state = Mutex((isOpen, [])) }

        func pass() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        func open() {
            let waiting = state.withLock { state in
                defer { state = (true, []) }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        deinit { open() }
    }
}

extension SimulatedServer {
    /// Sends what a client sends in the middle of a request, and takes the answers.
    func exchange(_ text: String, on peer: SimulatedPeer) -> String {
        peer.send(Array(text.utf8))
        rest()
        return String(decoding: peer.takeReceivedBytes(), as: UTF8.self)
    }

    var pendingRequests: UInt64 { core.counters[0].load().pendingRequests }
}

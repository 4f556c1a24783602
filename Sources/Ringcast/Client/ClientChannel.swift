import HTTPTypes
import PubSub
import Reactor
import Synchronization
import WebSocketProtocol

/// What a task's `WebSocketClient` and its socket's loop share: messages that wait to be read, messages that wait to be
/// sent, and whoever waits for either.
///
/// The lock is held for a few stores, and nobody is resumed under it, so that the loop hardly ever waits.
final class ClientChannel: Sendable {
    typealias Reference = WebSocketRef<ClientChannel>

    struct State {
        var opening = Opening.begun
        var reference: Reference?
        var subprotocol: String?
        var remoteAddress: SocketAddress?
        /// The fields of the server's answer to the handshake.
        var responseHeaders: HTTPFields = [:]
        /// Whether the socket has ended. Nothing is sent any more; whoever waits does so until its connection is over.
        var isEnding = false
        /// How the socket ended, once its connection is over.
        var ending: Ending?

        /// Messages that were received, and not read yet.
        var inbox = FIFO<OwnedMessage>()
        var inboxByteCount = 0
        /// The position of the message that was read last, of those that have one.
        var position: Position?
        var isPaused = false
        var readers = Waiters<Result<OwnedMessage?, WebSocketClientError>>()

        /// Messages that tasks have sent, and that were not handed to the socket yet.
        var outbox: [OutgoingMessage] = []
        var outboxByteCount = 0
        /// Whether the loop has been told to take the outbox over.
        var isFlushDue = false
        /// Whether the peer is behind: the last send queued up.
        var isBlocked = false
        var senders = Waiters<WebSocketClientError?>()

        var lastPing: UInt64 = 0
        /// Who waits for a pong, by the ping's number.
        var pings: [UInt64: Waiter<WebSocketClientError?>] = [:]
        /// Pings that carry something else than their number, the oldest first, as long as their pongs may come.
        var payloads: [(number: UInt64, payload: [UInt8])] = []
        /// Whether the socket's queue had no room for a ping.
        var isPingDue = false
        var closers = Waiters<Void>()
        /// Whether this side has closed the socket.
        var closesItself = false
        /// What the socket closes with when everything that was sent before has been given to it.
        var closing: (code: CloseCode, reason: String)?
    }

    /// How far the opening of the socket has come.
    enum Opening {
        case begun
        case awaited(ClientAttempt?, CheckedContinuation<WebSocketClientError?, Never>)
        case cancelled
        case over
    }

    /// How the socket ended.
    struct Ending {
        let code: CloseCode
        let reason: String
        /// Whether one of the sides has ended the socket as it should be ended.
        let isNormal: Bool

        var error: WebSocketClientError { .closed(code, reason: reason) }
    }

    let state = Mutex(State())
    let inboxLimits: (messages: Int, bytes: Int)
    /// Finds the position in a message, where the next socket is to go on behind it.
    let findPosition: (@Sendable (OwnedMessage) -> Position?)?

    /// - Parameter options: so many messages as `maxWaitingMessages`, or as many bytes as one message may have, wait to
    ///   be read before the socket is paused.
    init(_ options: WebSocketOptions, findPosition: (@Sendable (OwnedMessage) -> Position?)? = nil) {
        inboxLimits = (options.maxWaitingMessages, options.maxPayloadLength)
        self.findPosition = findPosition
    }

    /// The handlers of every socket that a task has.
    static func handlers(_ options: WebSocketOptions) -> WebSocketHandlers<ClientChannel> {
        WebSocketHandlers<ClientChannel>(
            options: options,
            open: { ws in if !ws.data.opened(ws) { ws.terminate() } },
            message: { ws, message in if ws.data.received(OwnedMessage(message)) { ws.pause() } },
            drain: { ws in ws.data.drained() },
            close: { ws, code, reason in ws.data.ends(code, reason, ws.session) },
            pong: { ws, payload in ws.data.ponged(payload) })
    }
}

extension ClientChannel {
    /// Connects, and returns nil when the socket is open, else why it is not. A cancellation gives the attempt up.
    func open(
        _ connect: (@escaping @Sendable (WebSocketClientError) -> Void) -> ClientAttempt
    ) async -> WebSocketClientError? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if case .cancelled = state.opening { return true }
                    state.opening = .awaited(nil, continuation)
                    return false
                }
                if isCancelled { return continuation.resume(returning: .cancelled) }
                let attempt = connect { error in self.settleOpening { $0.resume(returning: error) } }
                let isLate = state.withLock { state in
                    if case .awaited(_, let continuation) = state.opening {
                        state.opening = .awaited(attempt, continuation)
                        return false
                    }
                    return true
                }
                // Either the attempt has come to its end already, or a cancellation did not find it.
                if isLate { attempt.cancel() }
            }
        } onCancel: {
            cancelOpening()
        }
    }

    private func cancelOpening() {
        let step = state.withLock { state in
            defer { if case .over = state.opening {} else { state.opening = .cancelled } }
            return state.opening
        }
        guard case .awaited(let attempt, let continuation) = step else { return }
        attempt?.cancel()
        continuation.resume(returning: .cancelled)
    }

    /// Hands over to whoever waits for the socket, and tells whether somebody did.
    @discardableResult
    private func settleOpening(_ body: (CheckedContinuation<WebSocketClientError?, Never>) -> Void) -> Bool {
        let step = state.withLock { state in
            defer { state.opening = .over }
            return state.opening
        }
        guard case .awaited(_, let continuation) = step else { return false }
        body(continuation)
        return true
    }

    /// Takes over a socket that is open, and tells whether somebody still wants it. Called on the loop.
    fileprivate func opened(_ socket: borrowing WebSocket<ClientChannel>) -> Bool {
        let (reference, subprotocol) = (socket.reference, socket.subprotocol)
        let (address, headers) = (socket.remoteAddress, socket.session.loop.opening?.answer)
        state.withLock {
            $0.reference = reference
            $0.subprotocol = subprotocol
            $0.remoteAddress = address
            $0.responseHeaders = headers ?? [:]
        }
        return settleOpening { $0.resume(returning: nil) }
    }
}

extension ClientChannel {
    /// Notes that the socket has ended. Whoever waits is told when its connection is over, or `closeTimeout` later: by
    /// then the Close frame has left, and the server has ended the connection first, if it does as it should (RFC 6455
    /// §7.1.1). Called on the loop.
    fileprivate func ends(_ code: CloseCode, _ reason: String, _ session: Session) {
        // Without the peer's Close no end is normal, whatever this side has sent.
        let hasAnswered = session.flags.contains(.heardClose)
        let ending = state.withLock { state in
            let isNormal =
                state.closesItself && code != .abnormalClosure
                || hasAnswered && [.normalClosure, .goingAway, .noStatusReceived].contains(code)
            state.isEnding = true
            state.outbox = []
            return Ending(code: code, reason: reason, isNormal: isNormal)
        }
        session.loop.whenOver(session.connection, within: session.withKind { $0.closeTimeout }) { self.ended(ending) }
    }

    private func ended(_ ending: Ending) {
        let (readers, last, others, closers) = state.withLock { state in
            state.ending = ending
            defer { (state.pings, state.payloads) = ([:], []) }
            let others = state.senders.takeAll() + state.pings.values
            return (state.readers.takeAll(), state.lastRead, others, state.closers.takeAll())
        }
        readers.forEach { $0.resume(last) }
        others.forEach { $0.resume(ending.error) }
        closers.forEach { $0.resume(()) }
    }

    /// Closes the socket, and returns when its connection is over. A cancellation cuts the connection.
    func close(_ code: CloseCode, reason: String) async {
        let reference = beginClosing(code, reason: reason)
        await state.wait(
            in: \.closers, unless: { $0.ending == nil ? nil : () },
            onCancel: {
                reference?.terminate()
                return ()
            })
    }

    /// Closes the socket behind the messages sent before. If these do not leave within `closeTimeout`, the connection
    /// is cut.
    @discardableResult
    func beginClosing(_ code: CloseCode, reason: String) -> Reference? {
        let reference = state.withLock { state in
            // The first call's code counts.
            if !state.closesItself { state.closing = (code, reason) }
            state.closesItself = true
            return state.reference
        }
        reference?.lifeline.run { session in
            self.flush(session)
            guard session.isOpen else { return }
            session.loop.whenOver(session.connection, within: session.withKind { $0.closeTimeout }) {
                reference?.terminate()
            }
        }
        return reference
    }
}

extension ClientChannel.State {
    /// What a reader gets when no message will come any more.
    var lastRead: Result<OwnedMessage?, WebSocketClientError> {
        guard let ending else { return .success(nil) }
        return ending.isNormal ? .success(nil) : .failure(ending.error)
    }
}

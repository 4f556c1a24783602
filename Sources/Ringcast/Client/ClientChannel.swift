import Reactor
import Synchronization
import WebSocketProtocol

/// What a task's `WebSocketClient` and its socket's loop share: messages that wait to be read, messages that wait to be
/// sent, and whoever waits for either.
///
/// The loop never waits for the lock for longer than a few stores take; nobody is resumed under it.
final class ClientChannel: Sendable {
    typealias Reference = WebSocketRef<ClientChannel>

    struct State {
        var opening = Opening.begun
        var reference: Reference?
        var subprotocol: String?
        /// The socket has ended, its connection has not: nothing is sent any more, and whoever waits goes on waiting.
        var isEnding = false
        /// How the socket ended; once its connection is over.
        var ending: Ending?

        /// Received, and not read yet.
        var inbox = FIFO<OwnedMessage>()
        var inboxByteCount = 0
        var isPaused = false
        var readers = Waiters<Result<OwnedMessage?, WebSocketClientError>>()

        /// Sent by tasks, and not handed to the socket yet.
        var outbox: [OwnedMessage] = []
        var outboxByteCount = 0
        var isFlushDue = false
        /// The socket's queue is behind.
        var isBlocked = false
        var senders = Waiters<WebSocketClientError?>()

        /// The number of the last one.
        var lastPing: UInt64 = 0
        /// Who waits for a pong, by the number that the ping carries.
        var pings: [UInt64: Waiter<WebSocketClientError?>] = [:]
        /// The socket's queue had no room for a ping.
        var isPingDue = false
        var closers = Waiters<Void>()
        /// `close` was called here.
        var closesItself = false
        /// What the socket closes with when everything that was sent before has been given to it.
        var closing: (code: CloseCode, reason: String)?
    }

    enum Opening {
        case begun
        case awaited(ClientAttempt?, CheckedContinuation<WebSocketClientError?, Never>)
        case cancelled
        case over
    }

    struct Ending {
        let code: CloseCode
        let reason: String
        /// The other side, or this one, has ended it as it should be.
        let isNormal: Bool

        var error: WebSocketClientError { .closed(code, reason: reason) }
    }

    let state = Mutex(State())
    let inboxLimits: (messages: Int, bytes: Int)

    /// - Parameter options: its `maxWaitingMessages`, or as many bytes as one message may have, wait to be read before
    ///   the socket is paused.
    init(_ options: WebSocketOptions) { inboxLimits = (options.maxWaitingMessages, options.maxPayloadLength) }

    /// The handlers of every socket that a task has.
    static func handlers(_ options: WebSocketOptions) -> WebSocketHandlers<ClientChannel> {
        WebSocketHandlers<ClientChannel>(
            options: options,
            open: { ws in if !ws.data.opened(ws.reference, ws.subprotocol) { ws.terminate() } },
            message: { ws, message in if ws.data.received(OwnedMessage(message)) { ws.pause() } },
            drain: { ws in ws.data.drained() },
            close: { ws, code, reason in ws.data.ends(code, reason, ws.session) },
            pong: { ws, payload in ws.data.ponged(payload) })
    }
}

// MARK: opening

extension ClientChannel {
    /// Connects, and returns when the socket is open, or why it is not. Cancellation gives it up.
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
                // Settled already, or cancelled: in the second case somebody has to tell the attempt.
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

    /// False: nobody waits for it any more.
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

    /// By the loop. False: nobody wants the socket any more.
    fileprivate func opened(_ reference: Reference, _ subprotocol: String?) -> Bool {
        state.withLock {
            $0.reference = reference
            $0.subprotocol = subprotocol
        }
        return settleOpening { $0.resume(returning: nil) }
    }
}

// MARK: the end

extension ClientChannel {
    /// By the loop: the socket has ended. Whoever waits is told when its connection is over, or `closeTimeout` later:
    /// by then the Close frame has left, and the server has ended the connection first, if it does as it should
    /// (RFC 6455 §7.1.1).
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
            defer { state.pings = [:] }
            let others = state.senders.takeAll() + state.pings.values
            return (state.readers.takeAll(), state.lastRead, others, state.closers.takeAll())
        }
        readers.forEach { $0.resume(last) }
        others.forEach { $0.resume(ending.error) }
        closers.forEach { $0.resume(()) }
    }

    /// Closes the socket, and returns when its connection is over. Cancellation cuts it.
    func close(_ code: CloseCode, reason: String) async {
        let reference = beginClosing(code, reason: reason)
        await state.wait(
            in: \.closers, unless: { $0.ending == nil ? nil : () },
            onCancel: {
                reference?.terminate()
                return ()
            })
    }

    /// Closes the socket behind what was sent before. If that does not leave within `closeTimeout`, the connection is
    /// cut.
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

import PubSub
import WebSocketProtocol

/// The handlers with the user's type erased: one dynamic call per event, then the user's closure.
///
/// A class, since an unmanaged reference can be borrowed, and an existential cannot: no retain and release per message.
// Sendable: the only subclass is final and holds nothing but constants that are Sendable themselves.
class ErasedHandlers: @unchecked Sendable {
    /// Where the connection's data lies behind the `SessionState`, and what one allocation for both needs.
    var layout: SessionLayout { preconditionFailure("abstract") }
    func open(_ session: Session) throws {}
    func message(_ session: Session, _ message: borrowing Message) throws {}
    func drain(_ session: Session) throws {}
    func close(_ session: Session, _ code: CloseCode, _ reason: String) throws {}
    func ping(_ session: Session, _ payload: borrowing RawSpan) throws {}
    func pong(_ session: Session, _ payload: borrowing RawSpan) throws {}
    func error(_ session: Session, _ error: any Error) {}
    /// Whether `subscription`, and whether `dropped`, has a handler: else its arguments are not made.
    var reportsSubscriptions: Bool { false }
    var reportsDrops: Bool { false }
    func subscription(_ session: Session, _ topic: Topic, before: Int, after: Int) throws {}
    func dropped(_ session: Session, _ message: borrowing Message) throws {}
    func resumed(_ session: Session, _ topic: Topic, _ resumption: Resumption) throws {}
    func deinitializeData(of session: Session) {}
}

/// The user's closures, and the one place that knows the type of a connection's data.
final class TypedHandlers<ConnectionData>: ErasedHandlers, @unchecked Sendable {
    typealias Socket = WebSocket<ConnectionData>

    private let onOpen: (@Sendable (borrowing Socket) throws -> Void)?
    /// Not optional: unwrapping it would retain and release what it captures, for every message.
    private let onMessage: @Sendable (borrowing Socket, borrowing Message) throws -> Void
    private let onDrain: (@Sendable (borrowing Socket) throws -> Void)?
    private let onClose: (@Sendable (borrowing Socket, CloseCode, String) throws -> Void)?
    private let onPing: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)?
    private let onPong: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)?
    private let onError: (@Sendable (borrowing Socket, any Error) -> Void)?
    private let onSubscription: (@Sendable (borrowing Socket, Topic, Int, Int) throws -> Void)?
    private let onDropped: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)?
    private let onResumed: (@Sendable (borrowing Socket, Topic, Resumption) throws -> Void)?

    init(
        open: (@Sendable (borrowing Socket) throws -> Void)?,
        message: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)?,
        asyncMessage: (@Sendable (WebSocketRef<ConnectionData>, OwnedMessage) async throws -> Void)?,
        drain: (@Sendable (borrowing Socket) throws -> Void)?,
        close: (@Sendable (borrowing Socket, CloseCode, String) throws -> Void)?,
        ping: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)?,
        pong: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)?,
        error: (@Sendable (borrowing Socket, any Error) -> Void)?,
        subscription: (@Sendable (borrowing Socket, Topic, Int, Int) throws -> Void)?,
        dropped: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)?,
        resumed: (@Sendable (borrowing Socket, Topic, Resumption) throws -> Void)?
    ) {
        onOpen = open
        if let message {
            onMessage = message
        } else if let asyncMessage {
            onMessage = Self.later(asyncMessage)
        } else {
            onMessage = { _, _ in }
        }
        onDrain = drain
        onClose = close
        onPing = ping
        onPong = pong
        onError = error
        onSubscription = subscription
        onDropped = dropped
        onResumed = resumed
    }

    override var layout: SessionLayout { SessionLayout(dataOf: ConnectionData.self) }

    override func open(_ session: Session) throws { try onOpen?(Socket(session)) }

    override func message(_ session: Session, _ message: borrowing Message) throws {
        try onMessage(Socket(session), message)
    }

    /// A message handler that queues a copy of each message for an asynchronous one.
    private static func later(
        _ handler: @escaping @Sendable (WebSocketRef<ConnectionData>, OwnedMessage) async throws -> Void
    ) -> @Sendable (borrowing Socket, borrowing Message) throws -> Void {
        { socket, message in
            let reference = WebSocketRef<ConnectionData>(socket.session.lifeline)
            socket.session.handleLater(OwnedMessage(message)) { try await handler(reference, $0) }
        }
    }

    override func drain(_ session: Session) throws { try onDrain?(Socket(session)) }

    override func close(_ session: Session, _ code: CloseCode, _ reason: String) throws {
        try onClose?(Socket(session), code, reason)
    }

    override func ping(_ session: Session, _ payload: borrowing RawSpan) throws {
        try onPing?(Socket(session), payload)
    }

    override func pong(_ session: Session, _ payload: borrowing RawSpan) throws {
        try onPong?(Socket(session), payload)
    }

    override func error(_ session: Session, _ error: any Error) { onError?(Socket(session), error) }

    override var reportsSubscriptions: Bool { onSubscription != nil }
    override var reportsDrops: Bool { onDropped != nil }

    override func subscription(_ session: Session, _ topic: Topic, before: Int, after: Int) throws {
        try onSubscription?(Socket(session), topic, before, after)
    }

    override func dropped(_ session: Session, _ message: borrowing Message) throws {
        try onDropped?(Socket(session), message)
    }

    override func resumed(_ session: Session, _ topic: Topic, _ resumption: Resumption) throws {
        try onResumed?(Socket(session), topic, resumption)
    }

    override func deinitializeData(of session: Session) {
        // Safe: `open` of the upgrade initialized this memory with exactly this type, and it is deinitialized once,
        // here.
        unsafe session.data.assumingMemoryBound(to: ConnectionData.self).deinitialize(count: 1)
    }
}

import WebSocketProtocol

/// The handlers with the user's type erased: one dynamic call per event, then the user's closure.
protocol SocketHandlers: AnyObject, Sendable {
    /// Where the connection's data lies behind the `SessionState`, and what one allocation for both needs.
    var layout: SessionLayout { get }
    func open(_ session: Session) throws
    func message(_ session: Session, _ message: borrowing Message) throws
    func drain(_ session: Session) throws
    func close(_ session: Session, _ code: CloseCode, _ reason: String) throws
    func ping(_ session: Session, _ payload: borrowing RawSpan) throws
    func pong(_ session: Session, _ payload: borrowing RawSpan) throws
    func error(_ session: Session, _ error: any Error)
    func deinitializeData(of session: Session)
}

/// The user's closures, and the one place that knows the type of a connection's data.
final class HandlerTable<ConnectionData>: SocketHandlers {
    typealias Socket = WebSocket<ConnectionData>

    private let onOpen: (@Sendable (borrowing Socket) throws -> Void)?
    private let onMessage: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)?
    private let onDrain: (@Sendable (borrowing Socket) throws -> Void)?
    private let onClose: (@Sendable (borrowing Socket, CloseCode, String) throws -> Void)?
    private let onPing: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)?
    private let onPong: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)?
    private let onError: (@Sendable (borrowing Socket, any Error) -> Void)?

    init(
        open: (@Sendable (borrowing Socket) throws -> Void)?,
        message: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)?,
        drain: (@Sendable (borrowing Socket) throws -> Void)?,
        close: (@Sendable (borrowing Socket, CloseCode, String) throws -> Void)?,
        ping: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)?,
        pong: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)?,
        error: (@Sendable (borrowing Socket, any Error) -> Void)?
    ) {
        onOpen = open
        onMessage = message
        onDrain = drain
        onClose = close
        onPing = ping
        onPong = pong
        onError = error
    }

    var layout: SessionLayout { SessionLayout(dataOf: ConnectionData.self) }

    func open(_ session: Session) throws { try onOpen?(Socket(session)) }

    func message(_ session: Session, _ message: borrowing Message) throws {
        try onMessage?(Socket(session), message)
    }

    func drain(_ session: Session) throws { try onDrain?(Socket(session)) }

    func close(_ session: Session, _ code: CloseCode, _ reason: String) throws {
        try onClose?(Socket(session), code, reason)
    }

    func ping(_ session: Session, _ payload: borrowing RawSpan) throws { try onPing?(Socket(session), payload) }

    func pong(_ session: Session, _ payload: borrowing RawSpan) throws { try onPong?(Socket(session), payload) }

    func error(_ session: Session, _ error: any Error) { onError?(Socket(session), error) }

    func deinitializeData(of session: Session) {
        // Safe: `open` of the upgrade initialized this memory with exactly this type, and it is deinitialized once,
        // here.
        unsafe session.data.assumingMemoryBound(to: ConnectionData.self).deinitialize(count: 1)
    }
}

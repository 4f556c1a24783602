// Ringcast/WebSocket: what users hold of a socket, and what they say of it beforehand: `WebSocketHandlers` with their
// `WebSocketOptions`, `WebSocket` in a handler, `WebSocketRef` elsewhere, `Message` and `OwnedMessage`, `SendResult`.
// Faces only: what a call does is in `Session/`, to which a `WebSocket` is one word, and a `WebSocketRef` finds the way
// through its `SocketLifeline`.

public import Reactor
public import WebSocketProtocol

/// An open WebSocket, lent to a handler.
///
/// A handle is one word: copy and pass it freely while the handler runs. It cannot be kept or captured by a task (the
/// compiler says "escapes its scope"): `reference` is what to keep, and `task` the way to asynchronous work. Everything
/// here is called on the connection's loop and never blocks; what is sent costs a copy of its bytes, and leaves at the
/// end of the loop's turn, in order. What costs more says so.
public struct WebSocket<ConnectionData>: ~Escapable {
    @usableFromInline let session: Session

    @_lifetime(immortal)
    @inline(__always)
    init(_ session: Session) { self.session = session }

    /// The state of this connection that the upgrade began with, changed in place.
    ///
    /// Reading copies it. Changing it while it is being changed, through a copy of the handle, is a programming error
    /// and traps.
    @inlinable public var data: ConnectionData {
        get { unsafe session.readData().assumingMemoryBound(to: ConnectionData.self).pointee }
        nonmutating _modify {
            let data = unsafe session.beginDataAccess().assumingMemoryBound(to: ConnectionData.self)
            defer { session.endDataAccess() }
            yield unsafe &data.pointee
        }
    }

    /// Where the socket is in its life.
    public var readyState: ReadyState { session.readyState }

    /// The other end of the connection; nil once it is gone. Costs a system call.
    public var remoteAddress: SocketAddress? { session.connection.remoteAddress }

    /// The subprotocol that the handshake agreed on, if any.
    public var subprotocol: String? { session.extras?.subprotocol }

    /// Whether the handshake has agreed on permessage-deflate.
    package var isCompressionNegotiated: Bool { session.isCompressionNegotiated }

    /// Bytes accepted to be sent and not yet taken by the kernel: this turn's, and everything behind them.
    public var bufferedAmount: Int {
        session.settleFanOut()
        return session.queuedByteCount
    }

    /// `bufferedAmount` by the name that Bun gives it.
    public func getBufferedAmount() -> Int { bufferedAmount }

    /// How long the last liveness ping took to be answered; nil before the first.
    public var roundTrip: Duration? { session.extras?.roundTrip }

    /// Starts the closing handshake. What is queued goes out first; the close handler runs when the peer's Close comes,
    /// or after `closeTimeout`. Without effect on a socket that is closing already.
    /// - Parameters:
    ///   - code: 1000–1003, 1007–1014 or 3000–4999. 1005 sends a Close without a code; 1006 and 1015 end the connection
    ///     without a Close, as `terminate` does; any other sends 1000 and is logged.
    ///   - reason: cut to 123 bytes at the end of a character.
    public func close(_ code: CloseCode = .normalClosure, reason: String = "") { session.close(code, reason: reason) }

    /// Ends the connection at the end of this turn, without a Close frame. The close handler gets 1006.
    public func terminate() { session.terminate() }

    /// What to keep of this socket: usable from any thread, as long as one likes. All references to a socket are equal.
    /// The first one allocates.
    public var reference: WebSocketRef<ConnectionData> { WebSocketRef(session.lifeline) }

    /// Starts asynchronous work for this connection. It runs on the connection's loop, and after every `await` it is
    /// there again. Costs a task, and the reference if it is the first.
    ///
    /// It is cancelled when the socket is closed, before the close handler runs; what that handler starts is not. Work
    /// that has to be finished whatever becomes of the socket belongs into a `Task` of its own. An error that it throws
    /// goes to `error` and closes the socket with 1011, as a handler's does; once the socket is closed it is logged,
    /// unless it is a `CancellationError`.
    public func task(_ body: sending @escaping (WebSocketRef<ConnectionData>) async throws -> Void) {
        let reference = reference
        let tasks = session.tasks
        let number = tasks?.makeNumber() ?? 0
        let task = Task(executorPreference: session.loop.eventLoop.executor) {
            do { try await body(reference) } catch { reference.lifeline.failed("a task", error) }
            reference.lifeline.session?.extras?.tasks?.remove(number)
        }
        // The task has not begun: it waits for this turn of the loop.
        tasks?.add(task, number)
    }

    /// Runs `body` and returns its value. Everything that a handler sends is corked anyway: this has no effect, and is
    /// here for code that comes from other servers.
    /// - Throws: what `body` throws.
    @discardableResult
    public func cork<Result, Failure: Error>(
        _ body: (borrowing WebSocket) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(self)
    }
}

extension Session {
    /// The address of the data, for reading it.
    @usableFromInline func readData() -> UnsafeMutableRawPointer {
        precondition(!flags.contains(.dataInUse), "the data of a WebSocket is read while it is being changed")
        return unsafe data
    }

    /// The address of the data, for changing it until `endDataAccess`.
    @usableFromInline func beginDataAccess() -> UnsafeMutableRawPointer {
        precondition(!flags.contains(.dataInUse), "the data of a WebSocket is changed while it is being changed")
        flags.insert(.dataInUse)
        return unsafe data
    }

    @usableFromInline func endDataAccess() { flags.remove(.dataInUse) }
}

/// A value for each loop: state that sockets of one loop share without a lock.
///
///     let words = LoopLocal { [String: Int]() }                       // declared once, for any number of servers
///     let handlers = WebSocketHandlers<Void>(
///         message: { ws, message in words[ws][message.string, default: 0] += 1 })
///     let all = await words.values(of: server)                        // one from each loop
///
/// A loop's value is made when it is first asked for, on that loop, used there only, and freed with it. Sockets are
/// given to loops as they come: what has to be one for all of them belongs behind a `Mutex` or into an actor.
/// `docs/state-and-threads.md` tells when to take which.
public final class LoopLocal<Value>: Sendable {
    private let make: @Sendable () -> Value

    /// - Parameter make: makes a loop's value, on that loop: it must not block.
    public init(_ make: @escaping @Sendable () -> Value) { self.make = make }

    /// The value of the loop that a socket is on, changed in place; within a handler of that socket. Costs a table
    /// lookup. Changing it while it is being changed is a programming error, and traps.
    public subscript<ConnectionData>(_ ws: WebSocket<ConnectionData>) -> Value {
        get { cell(on: ws.session.loop).value }
        _modify {
            let cell = cell(on: ws.session.loop)
            yield &cell.value
        }
    }

    /// The values of all loops of a server, in their order, each at a moment of its own; loops that have none yet make
    /// one. Costs a turn of each loop. Any task; before the server runs, and once it has ended, there are none.
    public func values(of server: Server) async -> [Value] where Value: Sendable {
        var values: [Value] = []
        for loop in 0..<server.group.loopCount {
            if let value = await server.core.ask(loop, { $0.map { self.cell(on: $0).value } }) { values.append(value) }
        }
        return values
    }

    private func cell(on loop: SocketLoop) -> Cell {
        // Safe: what is there under the name of an owner that lives is a cell of it.
        if let cell = loop.locals[ObjectIdentifier(self)] { return unsafe unsafeDowncast(cell, to: Cell.self) }
        let cell = Cell(make(), of: self)
        loop.locals[ObjectIdentifier(self)] = cell
        return cell
    }

    /// One loop's value.
    private final class Cell {
        var value: Value
        /// Kept, so that no other `LoopLocal` is ever found under its name.
        private let owner: LoopLocal

        init(_ value: Value, of owner: LoopLocal) {
            self.value = value
            self.owner = owner
        }
    }
}

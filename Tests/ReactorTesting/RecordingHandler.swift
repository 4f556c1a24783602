package import Reactor

/// A handler that notes what it is called for, does what its closures say, and watches that the loop keeps its
/// promises: `opened` first, `closed` last and once, and no call within another.
package final class RecordingHandler: ConnectionHandler {
    package enum Event: Equatable {
        case opened
        case received([UInt8])
        case drained
        case inputEnded
        case deadlineReached
        case closed(DisconnectReason)
    }

    package var onOpened: (Connection) -> Void = { _ in }
    /// Returns how much it consumed. By default: everything.
    package var onReceived: ([UInt8], Connection) -> Int = { bytes, _ in bytes.count }
    package var onDrained: (Connection) -> Void = { _ in }
    package var onInputEnded: (Connection) -> Void = { $0.close() }
    package var onDeadline: (Connection) -> Void = { _ in }
    package var onClosed: (Connection, DisconnectReason) -> Void = { _, _ in }
    package var onTurnEnd: () -> Void = {}
    package var onMessage: (ServiceMessage) -> Void = { _ in }
    package var onStopping: () -> Void = {}
    package var messageWork: UInt64 = 0

    /// Everything, of all connections, in order.
    package private(set) var log: [(connection: ConnectionID, event: Event)] = []
    /// Connections that are open, in the order of their opening.
    package private(set) var open: [ConnectionID] = []
    private var slots: [ConnectionID: ConnectionSlot] = [:]
    private var isRunning = false

    package init() { TestEnd.current?.add(self) { $0.forget() } }

    package var events: [Event] { log.map(\.event) }
    package func events(of connection: ConnectionID) -> [Event] {
        log.filter { $0.connection == connection }.map(\.event)
    }
    package var closedCount: Int { events.count { if case .closed = $0 { true } else { false } } }

    /// Runs `body` with a connection that is open, outside of any event.
    package func with(_ connection: ConnectionID, _ body: (Connection) -> Void) {
        guard let slot = slots[connection] else { fatalError("\(connection) is not open") }
        body(Connection(slot))
    }

    /// Every connection that is open.
    package func withEach(_ body: (Connection) -> Void) {
        for connection in open { with(connection, body) }
    }

    package func opened(_ connection: Connection) {
        precondition(slots[connection.id] == nil, "opened twice")
        slots[connection.id] = connection.slot
        open.append(connection.id)
        note(.opened, connection) { onOpened(connection) }
    }

    package func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        let copy = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        var consumed = 0
        note(.received(copy), connection) { consumed = onReceived(copy, connection) }
        return consumed
    }

    package func drained(_ connection: Connection) { note(.drained, connection) { onDrained(connection) } }
    package func inputEnded(_ connection: Connection) { note(.inputEnded, connection) { onInputEnded(connection) } }
    package func deadlineReached(_ connection: Connection) {
        note(.deadlineReached, connection) { onDeadline(connection) }
    }

    package func closed(_ connection: Connection, _ reason: DisconnectReason) {
        note(.closed(reason), connection) { onClosed(connection, reason) }
        slots[connection.id] = nil
        open.removeAll { $0 == connection.id }
    }

    package func turnEnds() { alone(onTurnEnd) }
    package func received(_ message: ServiceMessage) { alone { onMessage(message) } }
    package func stopping() { onStopping() }

    /// Lets go of what the closures name.
    func forget() {
        onOpened = { _ in }
        onReceived = { bytes, _ in bytes.count }
        onDrained = { _ in }
        onInputEnded = { $0.close() }
        onDeadline = { _ in }
        onClosed = { _, _ in }
        onTurnEnd = {}
        onMessage = { _ in }
        onStopping = {}
    }

    private func note(_ event: Event, _ connection: Connection, _ body: () -> Void) {
        precondition(slots[connection.id] != nil, "\(event) outside of a connection's life")
        log.append((connection.id, event))
        alone(body)
    }

    private func alone(_ body: () -> Void) {
        precondition(!isRunning, "a handler was called from within another call")
        isRunning = true
        body()
        isRunning = false
    }
}

import PubSub
import Reactor
import WebSocketProtocol

/// Streams of server-sent events: sessions that subscribe to one topic, get its messages in another form, and hear
/// nothing. What a topic's subscribers have, such as order, counts, backlog and policy, they have by being sessions.
/// Nothing is read of their clients but the end, which ends the stream.
extension Session {
    /// Ends the stream from this side: what waits goes out, and the end of the connection is that of the response.
    func endEvents() {
        settleFanOut()
        leaveTopics()
        enter(.closing)
        advanceBacklog(upTo: .max)
        connection.close()
    }

    /// Sends a comment over a stream that its client keeps up with, and sets the deadline for the next one. Cuts a
    /// client that has not taken the last one for the write-stall time, as one that is gone without a word.
    func sendComment(now: UInt64) {
        let connection = connection
        let stall = withKind { $0.writeStallTimeout }
        if connection.queuedByteCount == 0, connection.untakenByteCount == 0 {
            let comment = EventForm.comment
            unsafe connection.send(comment.span.bytes)
        } else if stall > 0, now - connection.timeOfProgress >= stall {
            return connection.abort()
        }
        setCommentDeadline(now: now)
    }

    /// Tells a stream's client where it is, unless it knows that from what it has missed.
    func sayBeginning(_ resumption: Resumption, at position: Position) {
        guard resumption == .new || resumption == .gap else { return }
        let event = EventForm.beginning(at: position, behindGap: resumption == .gap)
        unsafe connection.send(event.span.bytes)
    }

    fileprivate func setCommentDeadline(now: UInt64) {
        let interval = withKind { $0.idleTimeout }
        connection.setDeadline(interval > 0 ? now + interval : nil)
    }
}

extension SocketLoop {
    /// Makes a stream of a topic's events of a connection whose head is queued.
    /// - Parameter position: the last event that the client has.
    func openEvents(of topic: Topic, after position: Position?, on connection: Connection, path: String) {
        let configuration = core.configuration
        let kind = kind(
            of: EventStreamHandlers.shared, options: configuration.events.socketOptions(configuration.limits))
        let session = unsafe makeSession(of: kind, on: connection, role: .server, path: path) { memory in
            unsafe memory.initializeMemory(as: EventStreamHandlers.Nothing.self, to: .init())
        }
        session.traits = .events
        // It has no Close to hear, and none is missing.
        session.flags.insert(.heardClose)
        eventStreamCount += 1
        unsafe connection.context = ConnectionRole.events(session).context
        if connection.isBlocked { session.fallBehind() }
        connection.setWriteStallTimeout(kind.writeStallTimeout)
        session.setCommentDeadline(now: now)
        // Read before the subscription: a later one might be that of a message that is still on its way to this loop.
        let beginning = table.entry(for: topic).history?.position
        let resumption = session.subscribe(to: topic, after: position)
        if let beginning, session.isOpen { session.sayBeginning(resumption, at: beginning) }
    }
}

/// What the kind of all streams of events is made of: handlers that do nothing. Their data is of a type that no user
/// can name, so that nobody gets a reference to a stream.
enum EventStreamHandlers {
    struct Nothing {}

    static let shared: ErasedHandlers = TypedHandlers<Nothing>(
        open: nil, message: nil, asyncMessage: nil, drain: nil, close: nil, ping: nil, pong: nil, error: nil,
        subscription: nil, dropped: nil, resumed: nil)
}

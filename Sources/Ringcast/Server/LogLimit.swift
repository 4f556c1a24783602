import Logging
import Reactor

/// Keeps peers from filling the log: of each kind of line that they can cause one a second is written, and then how
/// many were left out.
struct LogLimit {
    enum Kind: Hashable {
        /// A handler threw an error of this type.
        case thrown(ObjectIdentifier)
        /// A close code that cannot be sent.
        case closeCode
        /// A ping or pong with too long a payload.
        case controlPayload
        /// `fetch`, or a deferred reply, threw an error of this type.
        case replyThrown(ObjectIdentifier)
        /// A deferred reply was not there in time.
        case lateReply
        /// A reply that cannot be sent as it is.
        case unsendable
        /// A client of HTTP/2 has broken its rules, which ended the connection with this code.
        case http2(UInt32)

        var level: Logger.Level {
            switch self {
            case .thrown, .replyThrown, .lateReply, .unsendable: .error
            case .closeCode, .controlPayload: .warning
            case .http2: .info
            }
        }
    }

    private struct Entry {
        let line: String
        /// When the next line of the kind may be written, in the loop's milliseconds.
        let next: UInt64
        var leftOutCount = 0
    }

    private static let interval: UInt64 = 1_000
    /// The kinds of which a line was written within the last interval; a program has few.
    private var recent: [Kind: Entry] = [:]

    /// Asks whether a line is to be written, and counts one that is not.
    /// - Returns: nil if it is, else when `takeLeftOut` has to be called for it.
    mutating func admit(_ kind: Kind, _ line: String, now: UInt64) -> UInt64? {
        if let entry = recent[kind], now < entry.next {
            recent[kind]?.leftOutCount += 1
            return entry.next
        }
        recent[kind] = Entry(line: line, next: now + Self.interval)
        return nil
    }

    /// Ends the intervals that are over, and returns a line for each that has left some out.
    mutating func takeLeftOut(now: UInt64) -> [(Logger.Level, String)] {
        var lines: [(Logger.Level, String)] = []
        for (kind, entry) in recent where now >= entry.next {
            recent[kind] = nil
            guard entry.leftOutCount > 0 else { continue }
            lines.append((kind.level, "\(entry.leftOutCount) more like this within a second: \(entry.line)"))
        }
        return lines
    }

    /// When `takeLeftOut` next has something to tell; nil if no line was left out.
    var nextTime: UInt64? { recent.values.lazy.filter { $0.leftOutCount > 0 }.map(\.next).min() }
}

extension SocketLoop {
    /// Writes a line that peers can cause, at most one of its kind a second.
    /// - Parameter metadata: what it is about. Lines that are left out are counted without it.
    func report(_ kind: LogLimit.Kind, _ line: String, _ metadata: @autoclosure () -> Logger.Metadata) {
        tellOfLinesLeftOut()
        guard let time = logLimit.admit(kind, line, now: now) else { return core.log(kind.level, line, metadata()) }
        eventLoop.wakeHandler(at: time)
    }

    func tellOfLinesLeftOut() {
        for (level, line) in logLimit.takeLeftOut(now: now) { core.log(level, line) }
        if let time = logLimit.nextTime { eventLoop.wakeHandler(at: time) }
    }

    /// What tells a connection from others in the log: as its socket, if it is one, else its own name, the other end,
    /// and the path if it is known.
    func metadata(of connection: Connection, path: String = "") -> Logger.Metadata {
        var path = path
        switch ConnectionRole(connection) {
        case .socket(let session): return session.metadata
        case .events(let session): path = unsafe paths[session.state.pointee.path] ?? ""
        case .http, .outbound, .carrier, .none: break
        }
        var metadata: Logger.Metadata = ["connection": "\(connection.id)"]
        if let address = connection.remoteAddress { metadata["remote"] = "\(address)" }
        if !path.isEmpty { metadata["path"] = "\(PathTable.shown(path))" }
        return metadata
    }

    func log(_ level: LogLevel, _ line: String, about connection: Connection) {
        core.log(Logger.Level(level), line, metadata(of: connection))
    }
}

extension Logger.Level {
    init(_ level: LogLevel) {
        self =
            switch level {
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
    }
}

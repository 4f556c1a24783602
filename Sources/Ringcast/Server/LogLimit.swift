import Logging
import Reactor

/// Lines that peers can cause: one of each kind a second, and how many were left out.
struct LogLimit {
    enum Kind: Hashable {
        /// A handler threw an error of this type.
        case thrown(ObjectIdentifier)
        /// A close code that cannot be sent.
        case closeCode
        /// A ping or pong with too long a payload.
        case controlPayload

        var level: Logger.Level {
            switch self {
            case .thrown: .error
            case .closeCode, .controlPayload: .warning
            }
        }
    }

    private struct Entry {
        let line: String
        /// When the next one may be written (the loop's ms).
        let next: UInt64
        var leftOutCount = 0
    }

    private static let interval: UInt64 = 1_000
    /// Of the kinds that a line was written of within the last interval; a program has few.
    private var recent: [Kind: Entry] = [:]

    /// Whether a line is to be written. If not, it is counted, and `takeLeftOut` tells of it at the time that is
    /// returned.
    mutating func admit(_ kind: Kind, _ line: String, now: UInt64) -> UInt64? {
        if let entry = recent[kind], now < entry.next {
            recent[kind]?.leftOutCount += 1
            return entry.next
        }
        recent[kind] = Entry(line: line, next: now + Self.interval)
        return nil
    }

    /// Ends the intervals that are over. Returns a line for each that has left some out.
    mutating func takeLeftOut(now: UInt64) -> [(Logger.Level, String)] {
        var lines: [(Logger.Level, String)] = []
        for (kind, entry) in recent where now >= entry.next {
            recent[kind] = nil
            guard entry.leftOutCount > 0 else { continue }
            lines.append((kind.level, "\(entry.leftOutCount) more like this within a second: \(entry.line)"))
        }
        return lines
    }

    /// When there is something to be told of the lines left out.
    var nextTime: UInt64? { recent.values.lazy.filter { $0.leftOutCount > 0 }.map(\.next).min() }
}

extension SocketLoop {
    /// Writes a line that peers can cause, at most one of its kind a second.
    func report(_ kind: LogLimit.Kind, _ line: String) {
        tellOfLinesLeftOut()
        guard let time = logLimit.admit(kind, line, now: now) else { return core.log(kind.level, line) }
        eventLoop.wakeHandler(at: time)
    }

    func tellOfLinesLeftOut() {
        for (level, line) in logLimit.takeLeftOut(now: now) { core.log(level, line) }
        if let time = logLimit.nextTime { eventLoop.wakeHandler(at: time) }
    }
}

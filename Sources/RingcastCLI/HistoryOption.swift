import ArgumentParser
import Ringcast

/// Which topics keep how many messages: `room=100`, `topic/*=50`.
struct HistoryOption: ExpressibleByArgument {
    private let pattern: String
    private let count: Int

    /// Nil for what is no pattern and a count of 1 to a million.
    init?(argument: String) {
        guard let sign = argument.lastIndex(of: "="), sign > argument.startIndex,
            let count = Int(argument[argument.index(after: sign)...]), 1...1_000_000 ~= count
        else { return nil }
        (pattern, self.count) = (String(argument[..<sign]), count)
    }

    /// - Parameter stamping: of all topics but the room, whose messages are lines.
    func rules(stamping: Stamping?) -> [TopicRule] {
        let history = TopicRule.History(messages: count, bytes: 16 << 20)
        let all = TopicRule.matching(pattern, history: history, stamping: stamping)
        guard all.matches(RoomGuest.topic) else { return [all] }
        return [.matching(RoomGuest.topic.name, history: history, stamping: RoomGuest.stamping), all]
    }

    var matchesRoom: Bool { TopicRule.matching(pattern).matches(RoomGuest.topic) }
}

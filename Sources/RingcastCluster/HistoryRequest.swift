import Ringcast

/// What is asked of an engine that remembers.
enum HistoryRequest: Sendable {
    case append(HistoryAppend)
    case read(Topic, after: Position?, ticket: UInt64)
}

/// A message on its way into a history.
struct HistoryAppend: Sendable {
    /// The node's messages are counted, so that the engine knows one that it is sent again.
    let number: UInt64
    let message: [UInt8]
    let topic: Topic
    let bounds: TopicRule.History
    let retain: Bool
}

extension TopicRule.History {
    /// For how long all of a topic stays behind its last message.
    var keptMilliseconds: UInt64 { max(age?.milliseconds ?? 0, 86_400_000) }
}

/// What an engine answers to that.
enum HistoryAnswer {
    case appended
    case refused(String)
    /// Something that is no history is in the topic's place: asking again is of no use.
    case unusable(String)
    case page(HistoryAnswerPage)
}

/// A page, before it is known whose it is.
struct HistoryAnswerPage {
    var epoch: UInt64 = 0
    var earlier: [Position] = []
    var first: UInt64 = 1
    var last: UInt64 = 0
    var messages: [HistoryPage.Message] = []
    var retained: HistoryPage.Message?

    /// How many messages a page has, and bytes beyond which it has no more.
    static let limit = (messages: 256, bytes: 1 << 20)

    /// Behind which offset of this numbering a page for who is at a position begins: none of it if the position is of
    /// no numbering that the engine knows.
    func offset(behind position: Position) -> UInt64 {
        if position.epoch == epoch { return position.offset }
        let end = earlier.first { $0.epoch == position.epoch }
        return end.map { min(position.offset, $0.offset) } ?? 0
    }

    func of(_ topic: Topic, _ ticket: UInt64) -> HistoryPage {
        HistoryPage(
            topic: topic, ticket: ticket, epoch: epoch, earlier: earlier, first: first, last: last, messages: messages,
            retained: retained)
    }
}

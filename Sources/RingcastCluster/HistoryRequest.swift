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

/// What an engine answers to that.
enum HistoryAnswer {
    case appended
    case refused(String)
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

    func of(_ topic: Topic, _ ticket: UInt64) -> HistoryPage {
        HistoryPage(
            topic: topic, ticket: ticket, epoch: epoch, earlier: earlier, first: first, last: last, messages: messages,
            retained: retained)
    }
}

/// How an engine sends a history's message: `hEPOCH.OFFSET `, then the message.
struct HistoryEnvelope {
    let position: Position
    let message: [UInt8]

    /// Nil for any other message.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard unsafe bytes.first == UInt8(ascii: "h"),
            let space = unsafe bytes.prefix(48).firstIndex(of: UInt8(ascii: " ")),
            let position = unsafe Position(String(decoding: bytes[1..<space], as: UTF8.self))
        else { return nil }
        self.position = position
        message = unsafe [UInt8](bytes[(space + 1)...])
    }
}

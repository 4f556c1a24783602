import Ringcast

/// Reading a topic's stream.
extension JetStreamConversation {
    /// Asks for what a read is to have; the stream has said how far it has come.
    func read(_ request: JetStreamRequest, of numbering: JetStreamNumbering, _ state: JetStreamAnswer.State) {
        guard case .read(let topic, let position, _) = request.request else { return }
        request.page = HistoryAnswerPage(
            epoch: numbering.epoch, earlier: numbering.earlier,
            first: state.messages > 0 ? state.first : state.last + 1, last: state.last)
        guard let position else {
            let question = JetStreamQuestion(subject: language.retainedSubjects(of: topic))
            request.awaited = 1
            return ask("$JS.API.DIRECT.GET.\(language.head)", JSON.bytes(question), as: .retained(request))
        }
        let page = request.page
        let start = max(min(page.offset(behind: position), page.last) + 1, page.first)
        let fitting = UInt64(HistoryAnswerPage.limit.bytes) * max(1, state.messages) / max(1, state.bytes)
        let limit = min(UInt64(HistoryAnswerPage.limit.messages), max(1, fitting))
        let count = Int(min(page.last + 1 - min(start, page.last + 1), limit))
        request.messages = Array(repeating: nil, count: count)
        request.awaited = count
        let stream = language.stream(of: topic)
        for index in 0..<count {
            let question = Array("{\"seq\":\(start + UInt64(index))}".utf8)
            ask("$JS.API.DIRECT.GET.\(stream)", question, as: .message(request, index))
        }
        if count == 0 { request.answer = .page(page) }
    }

    /// Takes a message of a page; nil for one that is gone meanwhile.
    func heard(_ message: HistoryPage.Message?, at index: Int, of request: JetStreamRequest) {
        request.messages[index] = message
        request.awaited -= 1
        guard request.awaited == 0 else { return }
        request.page.messages = request.messages.compactMap { $0 }
        request.answer = .page(request.page)
    }

    func heardRetained(_ message: HistoryPage.Message?, of request: JetStreamRequest) {
        // One that is ahead is of another stream, which somebody has deleted.
        if let message, message.offset <= request.page.last { request.page.retained = message }
        request.answer = .page(request.page)
    }

    /// A message of a stream; nil for what has no number, since there is none.
    /// - Parameter time: the headers that say when it came; nil where nobody asks.
    func kept(
        _ payload: UnsafeRawBufferPointer, _ number: Substring?, since time: NATSHeaders?
    ) -> HistoryPage.Message? {
        guard let offset = number.flatMap({ UInt64($0) }) else { return nil }
        let came = time?.last("Nats-Time-Stamp").flatMap { JetStreamTime.milliseconds($0) }
        // The server's clock is taken for this machine's.
        let age = came.map { language.clock() - min($0, language.clock()) } ?? 0
        return unsafe HistoryPage.Message(
            offset: offset, age: .milliseconds(Int64(clamping: age)), bytes: [UInt8](payload))
    }
}

import Ringcast

/// Streams have no end of their own: nodes delete those that nobody has appended to for as long as they are kept. Each
/// looks once an hour, through all of them, a page at a time.
extension JetStreamConversation {
    static let sweepInterval: UInt64 = 3_600_000

    func beginSweep() {
        nextSweep = language.clock() + Self.sweepInterval
        // A stream that is deleted was not heard of here for many hours: nothing is known of it any more.
        for lane in lanes.values where lane.isIdle { lanes[lane.topic] = nil }
        list(behind: 0)
    }

    private func list(behind count: Int) {
        ask("$JS.API.STREAM.LIST", JSON.bytes(JetStreamQuestion(offset: count)), as: .list(count))
    }

    /// Takes a page of the streams that there are.
    func heard(_ answer: JetStreamAnswer, behind offset: Int) {
        let streams = answer.streams ?? []
        for stream in streams { sweep(stream) }
        let end = offset + streams.count
        if !streams.isEmpty, end < answer.total ?? 0 { list(behind: end) }
    }

    private func sweep(_ stream: JetStreamAnswer) {
        guard let configuration = stream.config, let state = stream.state,
            let label = JetStreamLabel(configuration, language), lanes[label.topic] == nil
        else { return }
        // One that was never appended to says the year 1.
        let times = [stream.created, state.lastTime].compactMap { $0.flatMap { JetStreamTime.milliseconds($0) } }
        let now = language.clock()
        guard let newest = times.max(), newest < now, now - newest > label.keptMilliseconds else { return }
        ask("$JS.API.STREAM.DELETE.\(configuration.name)", as: .removal)
        for subject in [language.retainedSubjects(of: label.topic), language.noteSubject(of: label.topic)] {
            ask(
                "$JS.API.STREAM.PURGE.\(language.head)", JSON.bytes(JetStreamQuestion(filter: subject)), as: .removal)
        }
    }
}

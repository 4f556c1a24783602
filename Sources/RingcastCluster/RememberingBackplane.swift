import Ringcast

/// A backplane over an engine that remembers: an `EngineBackplane`, and what is asked of histories.
final class RememberingBackplane: HistoryBackplane {
    private let engine: EngineBackplane

    init(_ engine: EngineBackplane) { self.engine = engine }

    func start() { engine.start() }

    func stop() async { await engine.stop() }

    func publish(_ payload: RawSpan, isText: Bool, to topic: Topic) -> BackplaneResult {
        engine.publish(payload, isText: isText, to: topic)
    }

    func setInterest(_ isInterested: Bool, in topic: Topic) { engine.setInterest(isInterested, in: topic) }

    func append(_ message: [UInt8], to topic: Topic, keeping bounds: TopicRule.History, retain: Bool)
        -> BackplaneResult
    {
        guard message.count <= engine.longestMessage else { return .dropped }
        let (result, isFirst) = engine.history.append(message, to: topic, keeping: bounds, retain: retain)
        if isFirst { engine.wake() }
        return result
    }

    func read(_ topic: Topic, after position: Position?, ticket: UInt64) {
        if engine.history.read(topic, after: position, ticket: ticket) { engine.wake() }
    }
}

public import HTTPTypes

/// Who is told of the answer to a request, once: what it was, or that there was none.
package final class AnswerObserver {
    private var body: (@Sendable (HTTPResponse.Status?) -> Void)?
    /// What the task of a deferred reply is started in: task-local values that it inherits.
    package let surroundings: (@Sendable (() -> Void) -> Void)?

    init(
        _ body: (@Sendable (HTTPResponse.Status?) -> Void)?, surroundings: (@Sendable (() -> Void) -> Void)? = nil
    ) {
        self.body = body
        self.surroundings = surroundings
    }

    /// The request is not waited for any more.
    deinit { body?(nil) }

    func answered(_ status: HTTPResponse.Status?) {
        let body = body
        self.body = nil
        body?(status)
    }

    /// The same observer with something more to do; this one is told nothing any more.
    fileprivate func adding(
        _ more: (@Sendable (HTTPResponse.Status?) -> Void)?, surroundings: (@Sendable (() -> Void) -> Void)?
    ) -> AnswerObserver {
        let (first, outer) = (body, surroundings ?? self.surroundings)
        body = nil
        return AnswerObserver(
            { status in
                first?(status)
                more?(status)
            }, surroundings: outer)
    }
}

extension Reply {
    /// The same reply; `body` is called once with the status that the client is answered with, when that has been
    /// queued (101 when the socket is about to open), or with nil when the connection ends before.
    ///
    /// For logs of requests, measurements and spans. Called on the connection's loop: it must not block. Costs an
    /// allocation; a reply without it costs nothing.
    public func whenAnswered(_ body: @escaping @Sendable (HTTPResponse.Status?) -> Void) -> Reply {
        observed(body, surroundings: nil)
    }

    /// The same reply; the task that makes a deferred one is started by `surroundings`, so that it inherits task-local
    /// values.
    package func inSurroundings(_ surroundings: @escaping @Sendable (() -> Void) -> Void) -> Reply {
        observed(nil, surroundings: surroundings)
    }

    private func observed(
        _ body: (@Sendable (HTTPResponse.Status?) -> Void)?, surroundings: (@Sendable (() -> Void) -> Void)?
    ) -> Reply {
        var reply = self
        reply.observer =
            observer?.adding(body, surroundings: surroundings) ?? AnswerObserver(body, surroundings: surroundings)
        return reply
    }
}

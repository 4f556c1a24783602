public import HTTPTypes
import Synchronization

/// Who is told of the answer to a request, once: what it was, or that there was none.
package final class AnswerObserver: Sendable {
    typealias Body = @Sendable (HTTPResponse.Status?) -> Void

    /// Nil once it has been told.
    private let body: Mutex<Body?>
    /// What the task of a deferred reply is started in: task-local values that it inherits.
    package let surroundings: (@Sendable (() -> Void) -> Void)?

    init(_ body: Body?, surroundings: (@Sendable (() -> Void) -> Void)? = nil) {
        self.body = Mutex(body)
        self.surroundings = surroundings
    }

    /// The request is not waited for any more.
    deinit { answered(nil) }

    func answered(_ status: HTTPResponse.Status?) { takeBody()?(status) }

    private func takeBody() -> Body? {
        body.withLock { body in
            defer { body = nil }
            return body
        }
    }

    /// The same observer with something more to do; this one is told nothing any more.
    fileprivate func adding(_ more: Body?, surroundings: (@Sendable (() -> Void) -> Void)?) -> AnswerObserver {
        let first = takeBody()
        return AnswerObserver(
            { status in
                first?(status)
                more?(status)
            }, surroundings: surroundings ?? self.surroundings)
    }
}

extension Reply {
    /// The same reply; `body` is called once with the status that the client is answered with, when that has been
    /// queued (101, over HTTP/2 200, when the socket is about to open; a stream's with its head), or with nil when the
    /// connection ends before.
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

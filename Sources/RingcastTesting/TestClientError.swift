import HTTPTypes

/// Why a client of a `TestServer` did not get what it asked for.
@nonexhaustive public enum TestClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A WebSocket was asked for, and this was the answer.
    case refused(TestResponse)
    /// The server has not answered, and has nothing left to do: its handler waits for what does not come by itself.
    case unanswered
    /// The connection ended before there was an answer.
    case disconnected
    /// The answer breaks HTTP's or WebSocket's rules: how, as a sentence's end.
    case invalidAnswer(String)
    /// What was to be asked cannot be written: why, as a sentence's end.
    case invalidRequest(String)
    /// What was waited for has not come in the time that was given.
    case timedOut

    /// One sentence, which says what to do where something can be done.
    public var description: String {
        switch self {
        case .refused(let response):
            "the server has refused the WebSocket with \(response.status.code): \(response.string)"
        case .unanswered:
            "the server has not answered: its handler waits for its clock (let time pass) or for something outside of "
                + "the loops (await answered() or opened() of what begin or beginConnecting gives)"
        case .disconnected: "the connection has ended before there was an answer"
        case .invalidAnswer(let what): "the server's answer is invalid: \(what)"
        case .invalidRequest(let what): "the request cannot be written: \(what)"
        case .timedOut: "what was waited for has not come in time"
        }
    }
}

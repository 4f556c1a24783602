/// What `BodyDecoder` found.
package enum BodyEvent: Hashable, Sendable {
    /// Bytes of the body, at these offsets of the call's input.
    case data(Range<Int>)
    /// The body is complete. What follows belongs to the next request.
    case end
    /// A body that is not taken: to be answered, then the connection is closed.
    case refused(HTTPRefusal)
}

/// Takes the body of a request out of what was received behind its head (RFC 9112 §6, §7). Holds no bytes.
package struct BodyDecoder: Sendable {
    private enum State: Sendable {
        case length(remaining: Int)
        case chunked(ChunkedDecoder)
        /// Up to the end of the input, of which no more than so many bytes may come.
        case open(room: Int)
        case ended
        case refused(HTTPRefusal)
    }

    private var state: State

    /// - Parameter limit: The most bytes of body that are accepted. A longer one is refused with 413: at once where the
    ///   framing tells its length in advance.
    package init(framing: BodyFraming, limit: Int) {
        state =
            switch framing {
            case .none: .ended
            case .length(let length): length <= limit ? .length(remaining: length) : .refused(.bodyTooLarge)
            case .chunked: .chunked(ChunkedDecoder(limit: limit))
            case .untilEnd: .open(room: limit)
            }
    }

    /// The next part of the body in `input` from `position` on, which is advanced over what was consumed; nil when all
    /// input is consumed and more is needed. Behind `.end` or `.refused` every call gives that again and consumes
    /// nothing.
    package mutating func next(in input: RawSpan, at position: inout Int) -> BodyEvent? {
        switch state {
        case .length(let remaining):
            return nextOfLength(remaining, in: input, at: &position)
        case .chunked(var chunks):
            do throws(HTTPRefusal) {
                let event = try chunks.next(in: input, at: &position)
                state = event == .end ? .ended : .chunked(chunks)
                return event
            } catch {
                state = .refused(error)
                return .refused(error)
            }
        case .open(let room):
            return nextOfOpen(room, in: input, at: &position)
        case .ended:
            return .end
        case .refused(let refusal):
            return .refused(refusal)
        }
    }

    private mutating func nextOfLength(_ remaining: Int, in input: RawSpan, at position: inout Int) -> BodyEvent? {
        guard remaining > 0 else {
            state = .ended
            return .end
        }
        let count = min(remaining, input.byteCount - position)
        guard count > 0 else { return nil }
        defer { position += count }
        state = .length(remaining: remaining - count)
        return .data(position..<(position + count))
    }

    private mutating func nextOfOpen(_ room: Int, in input: RawSpan, at position: inout Int) -> BodyEvent? {
        let count = input.byteCount - position
        guard count > 0 else { return nil }
        guard count <= room else {
            state = .refused(.bodyTooLarge)
            return .refused(.bodyTooLarge)
        }
        defer { position += count }
        state = .open(room: room - count)
        return .data(position..<(position + count))
    }
}

/// How the end of a request's body is known (RFC 9112 §6.3).
package enum BodyFraming: Hashable, Sendable {
    /// No body, or one of length zero.
    case none
    /// By `Content-Length`: more than zero bytes.
    case length(Int)
    /// By the last chunk of `Transfer-Encoding: chunked`.
    case chunked
    /// By the end of what its sender says, which whoever carries it is told: a stream's of HTTP/2 (RFC 9113 §8.1).
    case untilEnd
}

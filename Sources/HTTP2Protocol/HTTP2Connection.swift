// HTTP2Protocol: HTTP/2 (RFC 9113, RFC 8441) as functions of bytes, for a server: no I/O, no clock, no threads.
// Framing, HPACK and the arithmetic of windows are nghttp2's, of which nothing shows outside of this module.
//
// Bytes in: `HTTP2Connection.receive`, then `takeEvents`. What a server does: `HTTP2Connection+Answer.swift`. Bytes
// out: `sendNext`. `FloodGuard` and `HTTP2Limits` are the bounds, `HeadCollector` makes the heads of requests.

internal import CNghttp2

/// One connection of a server that speaks HTTP/2: what its client's bytes mean, and which bytes to answer with.
///
/// The bodies of answers never lie here: a stream knows how many of its bytes wait (`queue`), and whoever has them is
/// told when how many may leave, behind which frame header (`sendNext`). Used by one thread at a time. Costs 25 KiB
/// of nghttp2's, and 400 bytes for each stream that is open.
@safe package final class HTTP2Connection {
    /// nghttp2's session, which points back to `state`.
    let session: OpaquePointer
    let state: HTTP2State

    /// - Parameter limits: what the client is told and held to.
    package init(limits: HTTP2Limits = HTTP2Limits()) {
        let state = HTTP2State(limits: limits)
        guard let session = unsafe HTTP2State.makeSession(of: state, limits: limits) else {
            preconditionFailure("nghttp2 has no memory left")
        }
        unsafe self.session = session
        self.state = state
    }

    deinit { unsafe nghttp2_session_del(session) }

    /// Takes the client's next bytes, in pieces of any size, from its preface on. What they led to is in `takeEvents`,
    /// what they are answered with in `sendNext`. Behind a failure bytes are ignored.
    /// - Parameter now: in milliseconds, of any clock that does not go back: floods are counted over time.
    package func receive(_ bytes: RawSpan, now: UInt64) {
        guard state.failure == nil, bytes.byteCount > 0 else { return }
        let flood = state.flood.admit(bytes, now: now)
        // Safe: nghttp2 copies what it keeps, and the events have offsets.
        unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            unsafe state.inputStart = unsafe start
            let count = unsafe nghttp2_session_mem_recv(session, start, flood?.admitted ?? buffer.count)
            unsafe state.inputStart = nil
            if count < 0 { note(Int32(count)) }
        }
        if let flood { fail(flood.failure) }
    }

    /// What has happened since the last call, in order. The ranges of data are of the bytes that `receive` was given
    /// last: take the events before it is called again.
    package func takeEvents() -> [HTTP2Event] {
        defer { state.events.removeAll(keepingCapacity: false) }
        return state.events
    }

    /// Hands over the next thing to be sent: some frames as they are, or the header of a frame of a stream's body.
    ///
    /// As long as the client takes what is sent, call it until it returns false; when it does not, let what is here
    /// wait: the acknowledgements that a client can cause are bounded, the rest is of the server's own making.
    /// - Parameters:
    ///   - frames: gets bytes that are valid until it returns.
    ///   - data: gets a header, behind which so many of the stream's waiting bytes have to be sent.
    /// - Returns: false if there is nothing to be sent.
    package func sendNext(frames: (RawSpan) -> Void, data: (HTTP2DataFrame) -> Void) -> Bool {
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe nghttp2_session_mem_send(session, &bytes)
        if let failure = state.ownFailure { fail(failure) }
        if let frame = state.outgoing.take() {
            data(frame)
            return true
        }
        guard count > 0, let bytes = unsafe bytes else {
            if count < 0 { note(Int32(count)) }
            return false
        }
        frames(unsafe UnsafeRawBufferPointer(start: bytes, count: count).bytes)
        return true
    }

    /// Whether the connection has nothing to do any more: it can be closed once everything is sent.
    package var isOver: Bool {
        unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    }

    /// Why the connection is of no use any more; nil while it is, and until `sendNext` has told the client by a GOAWAY
    /// which rule it has broken. From then on nothing that comes means anything.
    package var failure: HTTP2Failure? { state.failure }

    /// Streams whose request has come and which are not closed.
    package var streamCount: Int { state.streams.count }

    /// nghttp2 has given up by itself: with a GOAWAY that is on its way, or for lack of a preface.
    private func note(_ error: Int32) {
        if let failure = state.ownFailure { return fail(failure) }
        switch nghttp2_error(rawValue: error) {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC: fail(HTTP2Failure(.protocolError, "there is no preface of HTTP/2"))
        case NGHTTP2_ERR_FLOODED: fail(HTTP2Failure(.enhanceYourCalm, "too many answers wait to be read"))
        default: fail(HTTP2Failure(.internalError, unsafe state.complaint ?? String(cString: nghttp2_strerror(error))))
        }
    }

    private func fail(_ failure: HTTP2Failure) {
        guard state.failure == nil else { return }
        state.failure = failure
        state.events.append(.failed(failure))
        _ = unsafe nghttp2_session_terminate_session(session, failure.code.rawValue)
    }
}

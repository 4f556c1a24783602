internal import CNghttp2

/// What a server does on its connection. Everything is told to the client by the next `sendNext`; on a stream that is
/// closed, or never was, nothing happens.
extension HTTP2Connection {
    /// Answers a stream's request: with this head alone, or with a body behind it that `queue` and `finish` speak of.
    /// - Parameters:
    ///   - fields: names in lower case, as HTTP/2 wants them, without those of HTTP/1.1's connections.
    ///   - hasBody: whether anything follows the head.
    /// - Returns: false if the stream is closed, or has been answered.
    @discardableResult
    package func respond(
        to stream: HTTP2StreamID, status: Int, fields: [(name: String, value: String)], hasBody: Bool
    ) -> Bool {
        guard let entry = state.streams[stream], !entry.isAnswered else { return false }
        state.streams[stream]?.isAnswered = true
        return unsafe withFields(status: status, fields) { list, count in
            guard hasBody else { return unsafe nghttp2_submit_response(session, stream, list, count, nil) }
            var body = unsafe nghttp2_data_provider(
                source: nghttp2_data_source(fd: 0), read_callback: HTTP2State.readBody)
            return unsafe nghttp2_submit_response(session, stream, list, count, &body)
        }
    }

    /// Says something in front of the answer: 100, 102, 103 (RFC 9113 §8.1).
    @discardableResult
    package func inform(
        _ stream: HTTP2StreamID, status: Int, fields: [(name: String, value: String)] = []
    ) -> Bool {
        guard 100..<200 ~= status, status != 101, let entry = state.streams[stream], !entry.isAnswered else {
            return false
        }
        return unsafe withFields(status: status, fields) { list, count in
            unsafe nghttp2_submit_headers(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, nil, list, count, nil)
        }
    }

    /// So many more bytes of the stream's body wait. They leave as the client's windows allow.
    /// - Returns: false if nobody waits for them: the stream is closed, or its body complete.
    @discardableResult
    package func queue(_ byteCount: Int, on stream: HTTP2StreamID) -> Bool {
        guard let entry = state.streams[stream], entry.isAnswered, !entry.isFinished else { return false }
        state.streams[stream]?.waitingByteCount += byteCount
        // An error means that the stream has not been deferred: it is asked anyway.
        if entry.waitingByteCount == 0 { _ = unsafe nghttp2_session_resume_data(session, stream) }
        return true
    }

    /// The body is complete with what waits.
    package func finish(_ stream: HTTP2StreamID) {
        guard let entry = state.streams[stream], !entry.isFinished else { return }
        state.streams[stream]?.isFinished = true
        if entry.waitingByteCount == 0 { _ = unsafe nghttp2_session_resume_data(session, stream) }
    }

    /// Bytes of the stream's body that wait for the client's windows, or for `sendNext`.
    package func waitingByteCount(of stream: HTTP2StreamID) -> Int { state.streams[stream]?.waitingByteCount ?? 0 }

    /// Somebody has taken so many bytes of a stream's data: the client may send as many more.
    ///
    /// Until then the stream's window shrinks: that is how one stream is held without the others. The connection's
    /// window opens by itself, so that what a client can have lie here is a window for each of its streams.
    package func consume(_ byteCount: Int, of stream: HTTP2StreamID) {
        guard byteCount > 0, state.streams[stream] != nil else { return }
        _ = unsafe nghttp2_session_consume_stream(session, stream, byteCount)
    }

    /// Says that what is left of the request is not wanted: behind its whole answer the stream is over, with `noError`
    /// (RFC 9113 §8.1). To be called in front of the end of the answer.
    package func refuseRest(of stream: HTTP2StreamID) { state.streams[stream]?.refusesRest = true }

    /// Ends a stream in the middle of whatever it does: also an answer that has not left.
    package func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        guard state.streams[stream] != nil else { return }
        state.streams[stream]?.isReset = true
        _ = unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
    }

    /// Says that no further stream is taken; those that are open go on, and behind the last of them the connection
    /// `isOver`.
    package func leave() {
        guard !state.isLeaving, state.failure == nil else { return }
        state.isLeaving = true
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        _ = unsafe nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2ErrorCode.noError.rawValue, nil, 0)
    }

    /// Lends a head to nghttp2, which copies it.
    private func withFields(
        status: Int, _ fields: [(name: String, value: String)],
        _ submit: (UnsafePointer<nghttp2_nv>, Int) -> Int32
    ) -> Bool {
        var text: [UInt8] = []
        var lengths: [(name: Int, value: Int)] = []
        for (name, value) in CollectionOfOne((name: ":status", value: String(status))) + fields {
            text += name.utf8
            text += value.utf8
            lengths.append((name.utf8.count, value.utf8.count))
        }
        // Safe: nghttp2 reads the bytes during the call, and copies them, since no flag says otherwise.
        return unsafe text.withUnsafeMutableBufferPointer { text in
            var position = text.baseAddress!
            var list: [nghttp2_nv] = unsafe []
            for length in lengths {
                unsafe list.append(
                    nghttp2_nv(
                        name: position, value: position + length.name, namelen: length.name, valuelen: length.value,
                        flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
                unsafe position += length.name + length.value
            }
            return unsafe list.withUnsafeBufferPointer { unsafe submit($0.baseAddress!, $0.count) } == 0
        }
    }
}

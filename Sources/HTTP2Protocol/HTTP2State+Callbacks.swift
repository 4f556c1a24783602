internal import CNghttp2

/// nghttp2's callbacks: each turns its arguments into Swift's and calls the method that has its name. None of them
/// receives, sends or frees, which nghttp2 forbids within them.
///
/// Safe, all of them: nghttp2 hands back the pointer that `makeSession` gave it, the connection keeps that alive as
/// long as the session, and what the other pointers point to is valid for the call.
extension HTTP2State {
    /// A session of a server whose SETTINGS, the first that it sends, say the limits.
    static func makeSession(of state: HTTP2State, limits: HTTP2Limits) -> OpaquePointer? {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        var session: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, unsafe nghttp2_option_new(&option) == 0 else {
            return nil
        }
        defer {
            unsafe nghttp2_session_callbacks_del(callbacks)
            unsafe nghttp2_option_del(option)
        }
        unsafe install(callbacks)
        // Windows open as what came is taken. No memory for streams that are closed: they served priorities only.
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        unsafe nghttp2_option_set_no_closed_streams(option, 1)
        unsafe nghttp2_option_set_max_outbound_ack(option, limits.waitingAnswers)
        unsafe ringcast_nghttp2_lift_bounds(option)
        guard
            unsafe nghttp2_session_server_new2(
                &session, callbacks, Unmanaged.passUnretained(state).toOpaque(), option) == 0
        else { return nil }
        var settings = [
            nghttp2_settings_entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams),
            nghttp2_settings_entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindow),
            nghttp2_settings_entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headerListBytes),
            nghttp2_settings_entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        if limits.offersWebSocket {
            settings.append(nghttp2_settings_entry(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1))
        }
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        guard unsafe nghttp2_submit_settings(session, flags, settings, settings.count) == 0,
            unsafe nghttp2_session_set_local_window_size(session, flags, 0, Int32(clamping: limits.connectionWindow))
                == 0
        else {
            unsafe nghttp2_session_del(session)
            return nil
        }
        return unsafe session
    }

    private static func install(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            let isTrailer = unsafe frame!.pointee.headers.cat != NGHTTP2_HCAT_REQUEST
            unsafe HTTP2State.of(user).headBegins(on: frame!.pointee.hd.stream_id, isTrailer: isTrailer)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, user in
            let goesOn = unsafe HTTP2State.of(user).headHas(
                UnsafeBufferPointer(start: name, count: nameCount), UnsafeBufferPointer(start: value, count: valueCount)
            )
            return goesOn ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
        }
        // RFC 9113 §8.2.1: a field that is not valid makes the request malformed. nghttp2 would leave it out.
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, _, _, _, _, _, _ in
            NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { session, frame, user in
            unsafe HTTP2State.of(user).frameCame(frame!, in: session)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            session, _, stream, bytes, count, user in
            unsafe HTTP2State.of(user).dataCame(UnsafeBufferPointer(start: bytes, count: count), on: stream)
            return unsafe nghttp2_session_consume_connection(session, count)
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            unsafe HTTP2State.of(user).streamClosed(stream, HTTP2ErrorCode(rawValue: code))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { session, frame, user in
            unsafe HTTP2State.of(user).frameWasSent(frame!, in: session)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, _, user in
            let isLast = unsafe UInt32(frame!.pointee.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
            unsafe HTTP2State.of(user).outgoing = HTTP2DataFrame(
                stream: frame!.pointee.hd.stream_id, byteCount: count, isLast: isLast)
            // The frame is whole: nghttp2 goes on behind it when it is asked again.
            return NGHTTP2_ERR_PAUSE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_error_callback2(callbacks) { _, _, text, count, user in
            let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
            unsafe HTTP2State.of(user).complaint = String(decoding: bytes, as: UTF8.self)
            return 0
        }
    }

    /// Asks a stream for its body: how much of it there is, since the bytes themselves lie elsewhere.
    static let readBody: nghttp2_data_source_read_callback = { _, stream, _, length, flags, _, user in
        guard let (count, isLast) = unsafe HTTP2State.of(user).takeBody(of: stream, atMost: length) else {
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isLast { unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return count
    }

    private func frameCame(_ frame: UnsafePointer<nghttp2_frame>, in session: OpaquePointer?) {
        let header = unsafe frame.pointee.hd
        let endsStream = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        switch nghttp2_frame_type(rawValue: UInt32(header.type)) {
        case NGHTTP2_HEADERS:
            guard !headIsComplete(on: header.stream_id, endsStream: endsStream) else { return }
            _ = unsafe nghttp2_submit_rst_stream(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), header.stream_id, HTTP2ErrorCode.protocolError.rawValue)
        case NGHTTP2_DATA: if endsStream { streamEnds(header.stream_id) }
        case NGHTTP2_GOAWAY: events.append(.goAway(HTTP2ErrorCode(rawValue: unsafe frame.pointee.goaway.error_code)))
        default: break
        }
    }

    private func frameWasSent(_ frame: UnsafePointer<nghttp2_frame>, in session: OpaquePointer?) {
        let header = unsafe frame.pointee.hd
        switch nghttp2_frame_type(rawValue: UInt32(header.type)) {
        case NGHTTP2_RST_STREAM: resetWasSent(on: header.stream_id)
        case NGHTTP2_GOAWAY: goAwayWasSent(HTTP2ErrorCode(rawValue: unsafe frame.pointee.goaway.error_code))
        case NGHTTP2_HEADERS, NGHTTP2_DATA:
            guard UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0, refusesRest(of: header.stream_id),
                unsafe nghttp2_session_get_stream_remote_close(session, header.stream_id) == 0
            else { return }
            streams[header.stream_id]?.isReset = true
            _ = unsafe nghttp2_submit_rst_stream(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), header.stream_id, HTTP2ErrorCode.noError.rawValue)
        default: break
        }
    }

    private static func of(_ user: UnsafeMutableRawPointer?) -> HTTP2State {
        unsafe Unmanaged<HTTP2State>.fromOpaque(user!).takeUnretainedValue()
    }
}

extension nghttp2_settings_entry {
    fileprivate init(_ setting: nghttp2_settings_id, _ value: Int) {
        self.init(settings_id: Int32(setting.rawValue), value: UInt32(clamping: value))
    }
}

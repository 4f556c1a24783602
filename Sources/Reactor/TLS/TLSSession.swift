internal import COpenSSL

/// The TLS side of one connection; it exists only where TLS is spoken. One word, as a connection's slot is.
///
/// The folder around it, `TLS`, is all that the library does with OpenSSL: no other calls it. `EventLoop+TLS.swift` and
/// `EventLoop+Records.swift` join sessions to connections; who is let in is for handlers.
///
/// A session belongs to its loop. What OpenSSL calls back (`TLSTransport`) changes the state during a call into
/// OpenSSL, so no access to the state may be under way then: each one here is over before or begins after.
@safe
struct TLSSession {
    private let address: UnsafeMutablePointer<TLSState>

    init(_ context: TLSContext, loop: EventLoop) {
        TLSFailure.clear()
        guard let ssl = unsafe SSL_new(context.contexts[0]), let bio = unsafe BIO_new(context.transport) else {
            fatalError("OpenSSL is out of memory")
        }
        unsafe address = .allocate(capacity: 1)
        unsafe address.initialize(to: TLSState(ssl: ssl, context: context, loop: loop))
        unsafe BIO_set_data(bio, address)
        unsafe BIO_set_init(bio, 1)
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe SSL_set_ex_data(ssl, 0, address)
        switch context.role {
        case .server: unsafe SSL_set_accept_state(ssl)
        case .client: unsafe SSL_set_connect_state(ssl)
        }
    }

    /// The session that OpenSSL calls back for. Safe: both pointers are set by `init` and go with the session.
    init?(of ssl: OpaquePointer) {
        guard let address = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        unsafe self.address = unsafe address.assumingMemoryBound(to: TLSState.self)
    }

    init?(of bio: OpaquePointer, _: Void) {
        guard let address = unsafe BIO_get_data(bio) else { return nil }
        unsafe self.address = unsafe address.assumingMemoryBound(to: TLSState.self)
    }

    var state: TLSState {
        unsafeAddress { unsafe UnsafePointer(address) }
        nonmutating unsafeMutableAddress { unsafe address }
    }

    /// Frees everything but the output, which the loop has given back (`discardRecords`).
    func end() {
        unsafe SSL_free(state.ssl)
        unsafe address.deinitialize(count: 1)
        unsafe address.deallocate()
    }

    // MARK: what OpenSSL reads and writes

    func setInput(_ bytes: UnsafeRawBufferPointer) {
        unsafe state.input = bytes.baseAddress
        state.inputByteCount = bytes.count
    }

    func takeInput(into buffer: UnsafeMutablePointer<CChar>, atMost limit: Int) -> Int {
        let count = min(limit, state.inputByteCount)
        guard count > 0, let input = unsafe state.input else { return 0 }
        unsafe UnsafeMutableRawPointer(buffer).copyMemory(from: input, byteCount: count)
        unsafe state.input = unsafe input + count
        state.inputByteCount -= count
        return count
    }

    func appendOutput(_ bytes: UnsafePointer<CChar>, count: Int) {
        guard count > 0 else { return }
        let memory = unsafe state.withLoop { unsafe $0.reserveRecord(count, of: self) }
        unsafe memory.copyMemory(from: bytes, byteCount: count)
    }

    /// Counts messages behind the handshake: key updates, and for clients tickets.
    func noteHandshakeMessage() {
        guard state.isEstablished else { return }
        let now = state.withLoop { $0.now }
        if now - state.lateMessagesSince >= 10_000 {
            (state.lateMessagesSince, state.lateMessageCount) = (now, 0)
        }
        state.lateMessageCount += 1
    }

    /// Whether there were more key updates than anybody needs: each costs this side the derivation of new keys.
    var hasTooManyLateMessages: Bool { state.lateMessageCount > TLSState.lateMessageLimit }

    // MARK: calls into OpenSSL

    enum Outcome {
        case done(Int)
        /// More bytes of the peer are needed.
        case wantsInput
        /// The peer has said that it will send no more.
        case ended
        case failed(String)
    }

    func shakeHands() -> Outcome {
        let ssl = unsafe state.ssl
        TLSFailure.clear()
        let result = unsafe SSL_do_handshake(ssl)
        return result == 1 ? .done(0) : outcome(result)
    }

    func read(into memory: UnsafeMutableRawBufferPointer) -> Outcome {
        let ssl = unsafe state.ssl
        TLSFailure.clear()
        let result = unsafe SSL_read(ssl, memory.baseAddress, Int32(memory.count))
        return result > 0 ? .done(Int(result)) : outcome(result)
    }

    /// Makes a record of all of `bytes`, or several where the peer has asked for smaller ones (`max_fragment_length`,
    /// RFC 6066 §4). Returns false when the session is broken.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let ssl = unsafe state.ssl
        TLSFailure.clear()
        var written = 0
        while written < bytes.count {
            // Partial writes are on, so that OpenSSL returns behind each record.
            let count = unsafe SSL_write(ssl, bytes.baseAddress! + written, Int32(bytes.count - written))
            guard count > 0 else { return false }
            written += Int(count)
        }
        return true
    }

    /// Tells the peer that no more will come, once.
    func sayGoodbye() {
        guard state.isEstablished, !state.hasSaidGoodbye else { return }
        state.hasSaidGoodbye = true
        let ssl = unsafe state.ssl
        TLSFailure.clear()
        _ = unsafe SSL_shutdown(ssl)
        TLSFailure.clear()
    }

    private func outcome(_ result: Int32) -> Outcome {
        let ssl = unsafe state.ssl
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wantsInput
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: return .failed(failureText)
        }
    }

    private var failureText: String {
        let ssl = unsafe state.ssl
        let isAboutCertificate = TLSFailure.isReason(SSL_R_CERTIFICATE_VERIFY_FAILED, of: ERR_LIB_SSL)
        let text = TLSFailure.take()
        guard isAboutCertificate else { return text }
        let why = unsafe String(cString: X509_verify_cert_error_string(SSL_get_verify_result(ssl)))
        return "the peer's certificate is not accepted: \(why)"
    }
}

@safe
struct TLSState {
    /// Messages behind the handshake that a session may get in ten seconds.
    static let lateMessageLimit = 100

    let ssl: OpaquePointer
    /// Kept alive: OpenSSL holds pointers into it.
    let context: TLSContext
    /// The loop outlives its connections.
    private let unmanagedLoop: Unmanaged<EventLoop>
    /// What is left of the received bytes that the session is reading.
    var input: UnsafeRawPointer?
    var inputByteCount = 0
    /// Records that wait for a flush, in the order in which OpenSSL made them.
    var output: UnsafeMutablePointer<SendQueue>?
    /// Bytes of the handshake that wait for a turn with room for its next step.
    var waiting: [UInt8] = []
    var isEstablished = false
    var hasSaidGoodbye = false
    /// Why the handshake has failed, until the handler is told.
    var failure: String?
    var lateMessageCount = 0
    var lateMessagesSince: UInt64 = 0

    init(ssl: OpaquePointer, context: TLSContext, loop: EventLoop) {
        unsafe self.ssl = unsafe ssl
        self.context = context
        unsafe unmanagedLoop = .passUnretained(loop)
    }

    func withLoop<Result>(_ body: (EventLoop) -> Result) -> Result {
        unsafe unmanagedLoop._withUnsafeGuaranteedRef { body($0) }
    }
}

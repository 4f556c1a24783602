import COpenSSL

/// A client's end of TLS, on a socket that does not wait. It believes anybody, and each handshake is a full one.
@safe
final class SecureChannel {
    // Safe: this program has one thread.
    private nonisolated(unsafe) static let context: OpaquePointer = {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { fatalError("OpenSSL cannot be used") }
        return unsafe context
    }()
    private let ssl: OpaquePointer

    init(_ descriptor: Int32) {
        guard let ssl = unsafe SSL_new(Self.context) else { fatalError("OpenSSL is out of memory") }
        unsafe self.ssl = unsafe ssl
        unsafe SSL_set_fd(ssl, descriptor)
        unsafe SSL_set_connect_state(ssl)
    }

    deinit { unsafe SSL_free(ssl) }

    /// Goes as far as what has come leads. Returns whether the handshake is done.
    func shakeHands() -> Bool {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        guard result == 1 || isWaiting(result) else { fatalError("a client cannot speak TLS with the server") }
        return result == 1
    }

    func send(_ bytes: [UInt8]) {
        ERR_clear_error()
        guard unsafe SSL_write(ssl, bytes, Int32(bytes.count)) == bytes.count else {
            fatalError("a client could not send over TLS")
        }
    }

    /// What has come; nil at the end of the connection.
    func receive() -> [UInt8]? {
        var received: [UInt8] = []
        while true {
            var result: Int32 = 0
            ERR_clear_error()
            received += unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { memory, count in
                result = unsafe SSL_read(ssl, memory.baseAddress, Int32(memory.count))
                count = Int(max(result, 0))
            }
            guard result <= 0 else { continue }
            return received.isEmpty && !isWaiting(result) ? nil : received
        }
    }

    private func isWaiting(_ result: Int32) -> Bool { unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ }
}

internal import COpenSSL

/// A TLS client without a socket: bytes of the other side in, bytes for it out. What carries them, and in what pieces,
/// is the test's business.
@safe
package final class TLSPeer {
    package struct Options {
        package var serverName: String?
        package var protocols: [String] = []
        /// What it shows: certificate and key in PEM.
        package var certificate: (chain: String, key: String)?
        /// The only authority it trusts; nil: it believes anybody.
        package var authority: String?
        /// No higher version is spoken.
        package var isTLS12 = false
        /// The ciphers that it offers, of TLS 1.2 and 1.3, as OpenSSL's lists; nil: OpenSSL's.
        package var ciphers: String?
        package var suites: String?

        /// Bytes of a record that it asks for: 512, 1,024, 2,048 or 4,096.
        package var maximumFragment: Int?

        package init() {}
    }

    package enum Failure: Error, Equatable { case failed(String) }

    /// Sessions to go on with: of an earlier peer.
    @safe
    package final class Session {
        fileprivate let pointer: OpaquePointer
        fileprivate init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }
        deinit { unsafe SSL_SESSION_free(pointer) }
    }

    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// Outside the object, for OpenSSL's call back.
    private let tickets = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    package private(set) var isSecured = false
    /// The other side has said that it will send no more.
    package private(set) var hasSeenGoodbye = false
    /// Plain bytes of the other side.
    package private(set) var received: [UInt8] = []

    package init(_ options: Options = Options(), resuming session: Session? = nil) {
        let context = unsafe SSL_CTX_new(TLS_client_method())!
        unsafe self.context = unsafe context
        if options.isTLS12 { unsafe SSL_CTX_set_options(context, 1 << 29) }  // SSL_OP_NO_TLSv1_3
        if let authority = options.authority {
            unsafe Self.withBIO(authority) { bio in
                let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil)
                unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate)
                unsafe X509_free(certificate)
            }
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        }
        if let own = options.certificate {
            unsafe Self.withBIO(own.chain) { bio in
                let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil)
                unsafe SSL_CTX_use_certificate(context, certificate)
                unsafe X509_free(certificate)
            }
            unsafe Self.withBIO(own.key) { bio in
                let key = unsafe PEM_read_bio_PrivateKey(bio, nil, nil, nil)
                unsafe SSL_CTX_use_PrivateKey(context, key)
                unsafe EVP_PKEY_free(key)
            }
        }
        if let ciphers = options.ciphers { unsafe SSL_CTX_set_cipher_list(context, ciphers) }
        if let count = options.maximumFragment {
            let code = [512: 1, 1_024: 2, 2_048: 3, 4_096: 4][count]!  // RFC 6066 §4
            unsafe SSL_CTX_set_tlsext_max_fragment_length(context, UInt8(code))
        }
        if let suites = options.suites { unsafe SSL_CTX_set_ciphersuites(context, suites) }
        unsafe SSL_CTX_set_msg_callback(context) { isSent, _, type, bytes, count, ssl, _ in
            guard isSent == 0, type == SSL3_RT_HANDSHAKE, count > 0, let bytes = unsafe bytes,
                unsafe bytes.load(as: UInt8.self) == SSL3_MT_NEWSESSION_TICKET
            else { return }
            unsafe SSL_get_ex_data(ssl, 0).assumingMemoryBound(to: Int.self).pointee += 1
        }
        unsafe ssl = SSL_new(context)!
        unsafe tickets.initialize(to: 0)
        unsafe SSL_set_ex_data(ssl, 0, tickets)
        unsafe input = BIO_new(BIO_s_mem())!
        unsafe output = BIO_new(BIO_s_mem())!
        unsafe SSL_set_bio(ssl, input, output)
        unsafe SSL_set_connect_state(ssl)
        if let name = options.serverName { _ = unsafe ringcast_tls_set_server_name(ssl, name) }
        if let session { unsafe SSL_set_session(ssl, session.pointer) }
        let wire = options.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        unsafe SSL_set_alpn_protos(ssl, wire, UInt32(wire.count))
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
        unsafe tickets.deallocate()
    }

    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }
    package var session: Session? { unsafe SSL_get1_session(ssl).map { unsafe Session($0) } }
    /// Tickets that the other side has given.
    package var ticketCount: Int { unsafe tickets.pointee }
    package var cipher: String { unsafe String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))) }
    package var version: String { unsafe String(cString: SSL_get_version(ssl)) }

    package var chosenProtocol: String? {
        var (name, count): (UnsafePointer<UInt8>?, UInt32) = (nil, 0)
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        return count == 0
            ? nil : unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    /// The common name of the certificate that the other side showed.
    package var peerName: String? {
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        var buffer = [CChar](repeating: 0, count: 256)
        let count = unsafe X509_NAME_get_text_by_NID(
            X509_get_subject_name(certificate), NID_commonName, &buffer, Int32(buffer.count))
        return String(decoding: buffer[..<Int(max(0, count))].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Certificates that the other side showed.
    package var peerChainLength: Int { unsafe Int(OPENSSL_sk_num(SSL_get_peer_cert_chain(ssl))) }

    /// Takes what the other side has sent, and goes as far as that leads.
    package func receive(_ bytes: [UInt8]) throws(Failure) {
        if !bytes.isEmpty { unsafe BIO_write(input, bytes, Int32(bytes.count)) }
        if !isSecured {
            ERR_clear_error()
            let result = unsafe SSL_do_handshake(ssl)
            isSecured = result == 1
            try check(result)
        }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while isSecured {
            ERR_clear_error()
            let count = unsafe SSL_read(ssl, &buffer, Int32(buffer.count))
            guard count > 0 else { return try check(count) }
            received += buffer[..<Int(count)]
        }
    }

    package func takeReceived() -> [UInt8] {
        defer { received = [] }
        return received
    }

    package func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            sent += Int(
                max(
                    0,
                    unsafe bytes.withUnsafeBytes {
                        unsafe SSL_write(ssl, $0.baseAddress! + sent, Int32($0.count - sent))
                    }))
        }
    }

    package func sayGoodbye() { unsafe SSL_shutdown(ssl) }

    /// Asks for new keys, and for an answer.
    package func updateKeys() {
        unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
        unsafe SSL_do_handshake(ssl)
    }

    /// TLS 1.2's way to new keys.
    package func renegotiate() {
        unsafe SSL_renegotiate(ssl)
        unsafe SSL_do_handshake(ssl)
    }

    /// What is for the other side.
    package func takeOutput() -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe BIO_read(output, &buffer, Int32(buffer.count))
            guard count > 0 else { return bytes }
            bytes += buffer[..<Int(count)]
        }
    }

    private func check(_ result: Int32) throws(Failure) {
        guard result <= 0 else { return }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: break
        case SSL_ERROR_ZERO_RETURN: hasSeenGoodbye = true
        default:
            let text = unsafe ERR_reason_error_string(ERR_get_error())
            throw .failed(unsafe text.map { unsafe String(cString: $0) } ?? "broken")
        }
    }

    private static func withBIO(_ text: String, _ body: (OpaquePointer?) -> Void) {
        let bytes = Array(text.utf8)
        unsafe bytes.withUnsafeBytes { bytes in
            let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
            unsafe body(bio)
            unsafe BIO_free(bio)
        }
    }
}

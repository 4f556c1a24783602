internal import COpenSSL

/// What all TLS sessions of a listener, or of a client, have in common: certificates, versions, whom to believe.
/// Immutable once it is made. A session keeps its context alive.
@safe
final class TLSContext: @unchecked Sendable {
    // Sendable although it holds pointers: an SSL_CTX counts its users with atomics and locks what sessions change in
    // it; nothing else here changes.

    enum Role { case server, client }

    let role: Role
    /// An SSL_CTX for each certificate; sessions begin with the first.
    private(set) var contexts: [OpaquePointer] = unsafe []
    /// How sessions read and write: see `TLSTransport`.
    let transport: OpaquePointer
    /// What was noticed about the certificates and does not hinder.
    private(set) var warnings: [String] = []
    /// Names as in the ALPN extension, each behind its length. OpenSSL keeps pointers into them during a handshake.
    private let protocols: UnsafeMutableBufferPointer<UInt8>
    /// For clients: whom the server's certificate has to name, instead of the host that was asked for.
    let serverName: String?
    /// For clients: whether the server's certificate has to be good.
    let verifiesPeer: Bool
    /// For servers: what session tickets are sealed with.
    let ticketKeys: TicketKeys?

    /// - Parameter predecessor: a context whose session tickets this one goes on to take.
    init(server configuration: TLSConfiguration, predecessor: TLSContext? = nil) throws(ReactorError) {
        role = .server
        (serverName, verifiesPeer) = (nil, configuration.clientCertificates != .notAsked)
        unsafe protocols = try unsafe Self.wireForm(of: configuration.applicationProtocols)
        unsafe transport = TLSTransport.makeMethod()
        // A ticket brings the client's certificate with it: it must not outlive a change of the authorities.
        ticketKeys = (verifiesPeer ? nil : predecessor?.ticketKeys) ?? TicketKeys()
        guard !configuration.certificates.isEmpty else { throw ReactorError("a TLS server needs a certificate", .tls) }
        for certificate in configuration.certificates {
            let context = try unsafe makeContext(minVersion: configuration.minVersion)
            try unsafe use(certificate, in: context)
            try unsafe setCiphers(configuration, in: context)
            try unsafe setClientCertificates(configuration.clientCertificates, in: context)
            unsafe setServerSessions(in: context)
        }
    }

    init(client configuration: TLSClientConfiguration) throws(ReactorError) {
        role = .client
        ticketKeys = nil
        serverName = configuration.serverName
        verifiesPeer = configuration.trust != .anybody
        unsafe protocols = try unsafe Self.wireForm(of: configuration.applicationProtocols)
        unsafe transport = TLSTransport.makeMethod()
        let context = try unsafe makeContext(minVersion: configuration.minVersion)
        if let certificate = configuration.certificate { try unsafe use(certificate, in: context) }
        switch configuration.trust {
        case .anybody: break
        case .system: unsafe SSL_CTX_set_default_verify_paths(context)
        case .authorities(let source):
            let authorities = try PEM.certificates(source, called: "authority")
            let store = unsafe SSL_CTX_get_cert_store(context)
            for index in unsafe authorities.all.indices { unsafe X509_STORE_add_cert(store, authorities.all[index]) }
        }
        unsafe SSL_CTX_set_verify(context, verifiesPeer ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        // This call returns 0 for success, unlike its neighbours.
        unsafe SSL_CTX_set_alpn_protos(context, protocols.baseAddress, UInt32(protocols.count))
    }

    deinit {
        for index in unsafe contexts.indices { unsafe SSL_CTX_free(contexts[index]) }
        unsafe BIO_meth_free(transport)
        unsafe protocols.deallocate()
    }

    private func makeContext(minVersion: TLSVersion) throws(ReactorError) -> OpaquePointer {
        TLSFailure.clear()
        guard let context = unsafe SSL_CTX_new(role == .server ? TLS_server_method() : TLS_client_method()) else {
            throw ReactorError("OpenSSL cannot be used: \(TLSFailure.take())", .tls)
        }
        unsafe contexts.append(context)
        unsafe ringcast_tls_set_minimum_version(context, minVersion == .v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION)
        unsafe ringcast_tls_set_options(context)
        // The chain that is sent is the one that was given. OpenSSL would look for more of it among the authorities
        // that the other side is checked with, and check what it finds, in every handshake.
        unsafe ringcast_tls_set_modes(
            context,
            Int(
                SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                    | SSL_MODE_NO_AUTO_CHAIN))
        unsafe ringcast_tls_set_maximum_fragment(context, TLSRecord.plainByteCount)
        // Records are taken out of the input as they lie there, not each one's header and then the rest.
        unsafe ringcast_tls_read_ahead(context)
        unsafe SSL_CTX_set_info_callback(context) { ssl, event, _ in
            // OpenSSL calls this in handshakes, and for the few messages that TLS 1.3 has behind them.
            guard event & SSL_CB_LOOP != 0, let ssl = unsafe ssl, let session = unsafe TLSSession(of: ssl) else {
                return
            }
            session.noteHandshakeMessage()
        }
        return unsafe context
    }

    func warn(_ sentence: String) { warnings.append(sentence) }

    /// The context to go on with for a host that a client named; nil leaves the first.
    func context(for host: UnsafePointer<CChar>) -> OpaquePointer? {
        for index in unsafe contexts.indices {
            let certificate = unsafe SSL_CTX_get0_certificate(contexts[index])
            if unsafe X509_check_host(certificate, host, 0, 0, nil) == 1 { return unsafe contexts[index] }
        }
        return nil
    }

    /// The protocol to speak with a client that offers `offered`; nil if there is none in common.
    func chooseProtocol(_ offered: UnsafePointer<UInt8>, count: UInt32) -> UnsafeBufferPointer<UInt8>? {
        var chosen: UnsafeMutablePointer<UInt8>?
        var length: UInt8 = 0
        let result = unsafe SSL_select_next_proto(
            &chosen, &length, protocols.baseAddress, UInt32(protocols.count), offered, count)
        guard result == OPENSSL_NPN_NEGOTIATED else { return nil }
        return unsafe UnsafeBufferPointer(start: chosen, count: Int(length))
    }

    var offersProtocols: Bool { unsafe !protocols.isEmpty }

    private static func wireForm(of protocols: [String]) throws(ReactorError) -> UnsafeMutableBufferPointer<UInt8> {
        var bytes: [UInt8] = []
        for name in protocols {
            guard 1...255 ~= name.utf8.count else {
                throw ReactorError("\"\(name)\" is not the name of an application protocol (ALPN)", .tls)
            }
            bytes.append(UInt8(name.utf8.count))
            bytes += Array(name.utf8)
        }
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe memory.initialize(from: bytes)
        return unsafe memory
    }
}

enum TLSRecord {
    /// Payload of a record: with its header, padding and tag it fits a chunk of 16 KiB.
    static let plainByteCount = 16_000
}

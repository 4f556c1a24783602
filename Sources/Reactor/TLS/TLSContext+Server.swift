internal import COpenSSL
internal import Glibc

extension TLSContext {
    /// What of TLS 1.2 has forward secrecy and authenticated encryption. AES-128 goes first, with SHA-256 beside it: a
    /// handshake hashes much, and SHA-384 has no instructions of its own.
    private static let defaultCiphers = "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
    private static let defaultSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    /// Tickets behind a full handshake of TLS 1.3; a resumed one gets one in any case. A WebSocket client has one
    /// connection and comes back with one, and making a ticket costs a fifteenth of a handshake.
    private static let ticketCount = 1

    func use(_ certificate: TLSCertificate, in context: OpaquePointer) throws(ReactorError) {
        let chain = try PEM.certificates(certificate.chain, called: "certificate")
        let key = try unsafe PEM.key(of: certificate)
        defer { unsafe EVP_PKEY_free(key) }
        let (leaf, name) = unsafe (chain.all[0], certificate.chain.name("certificate"))
        TLSFailure.clear()
        guard unsafe SSL_CTX_use_certificate(context, leaf) == 1 else {
            throw ReactorError("\(name) cannot be used: \(TLSFailure.take())", .tls)
        }
        guard unsafe X509_check_private_key(leaf, key) == 1 else {
            TLSFailure.clear()
            throw ReactorError("\(certificate.key.name("key")) does not belong to \(name)", .tls)
        }
        guard unsafe SSL_CTX_use_PrivateKey(context, key) == 1 else {
            throw ReactorError("\(certificate.key.name("key")) cannot be used: \(TLSFailure.take())", .tls)
        }
        for index in unsafe chain.all.indices.dropFirst() {
            unsafe ringcast_tls_add_chain_certificate(context, chain.all[index])
        }
        unsafe checkDates(of: leaf, name)
    }

    private func checkDates(of certificate: OpaquePointer, _ name: String) {
        if unsafe X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0 {
            warn("\(name) has expired: clients will refuse it")
        } else if unsafe X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 {
            warn("\(name) is not valid yet: clients will refuse it")
        }
    }

    func setCiphers(_ configuration: TLSConfiguration, in context: OpaquePointer) throws(ReactorError) {
        TLSFailure.clear()
        let ciphers = configuration.ciphers ?? Self.defaultCiphers
        guard unsafe SSL_CTX_set_cipher_list(context, ciphers) == 1 else {
            TLSFailure.clear()
            throw ReactorError("\"\(ciphers)\" names no cipher that OpenSSL knows", .tls)
        }
        let suites = configuration.cipherSuites ?? Self.defaultSuites
        guard unsafe SSL_CTX_set_ciphersuites(context, suites) == 1 else {
            TLSFailure.clear()
            throw ReactorError("\"\(suites)\" is not a list of TLS 1.3 cipher suites that OpenSSL knows", .tls)
        }
    }

    func setClientCertificates(
        _ rule: TLSClientCertificates, in context: OpaquePointer
    ) throws(ReactorError) {
        let (source, mode): (PEMSource, Int32)
        switch rule {
        case .notAsked: return
        case .optional(let authorities): (source, mode) = (authorities, SSL_VERIFY_PEER)
        case .required(let authorities):
            (source, mode) = (authorities, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        }
        let authorities = try PEM.certificates(source, called: "authority")
        let store = unsafe SSL_CTX_get_cert_store(context)
        for index in unsafe authorities.all.indices {
            unsafe X509_STORE_add_cert(store, authorities.all[index])
            unsafe SSL_CTX_add_client_CA(context, authorities.all[index])
        }
        unsafe SSL_CTX_set_verify(context, mode, nil)
    }

    /// Sets resumption by tickets: the clients keep the sessions, and this side keeps nothing.
    func setServerSessions(in context: OpaquePointer) {
        unsafe ringcast_tls_set_session_cache(context, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_num_tickets(context, Self.ticketCount)
        unsafe SSL_CTX_set_session_id_context(context, "ringcast", 8)
        unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, useTicketKey)
        // Safe: sessions keep their context, and OpenSSL calls only for sessions.
        let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ringcast_tls_on_server_name(context, chooseCertificate, argument)
        if offersProtocols { unsafe SSL_CTX_set_alpn_select_cb(context, chooseApplicationProtocol, argument) }
    }
}

private func chooseCertificate(
    _ ssl: OpaquePointer?, _: UnsafeMutablePointer<Int32>?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let host = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), let argument = unsafe argument else {
        return SSL_TLSEXT_ERR_NOACK
    }
    let context = unsafe Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    guard let match = unsafe context.context(for: host) else { return SSL_TLSEXT_ERR_NOACK }
    unsafe SSL_set_SSL_CTX(ssl, match)
    return SSL_TLSEXT_ERR_OK
}

private func chooseApplicationProtocol(
    _: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ count: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered = unsafe offered, let argument = unsafe argument else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let context = unsafe Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    guard let name = unsafe context.chooseProtocol(offered, count: count) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    unsafe chosen?.pointee = name.baseAddress
    unsafe length?.pointee = UInt8(name.count)
    return SSL_TLSEXT_ERR_OK
}

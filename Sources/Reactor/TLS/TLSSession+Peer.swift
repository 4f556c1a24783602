internal import COpenSSL
internal import Glibc

extension TLSSession {
    /// Sets whom the server's certificate has to name, for a client. An IP address is compared with the certificate's
    /// addresses, and never sent as SNI (RFC 6066 §3).
    func expect(_ host: String) {
        let name = state.context.serverName ?? host
        let ssl = unsafe state.ssl
        let parameters = unsafe SSL_get0_param(ssl)
        TLSFailure.clear()
        var address = in6_addr()
        let isAddress = unsafe inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
        if isAddress {
            if state.context.verifiesPeer { unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, name) }
        } else {
            _ = unsafe ringcast_tls_set_server_name(ssl, name)
            if state.context.verifiesPeer { unsafe X509_VERIFY_PARAM_set1_host(parameters, name, 0) }
        }
        TLSFailure.clear()
    }

    var isResumed: Bool {
        let ssl = unsafe state.ssl
        return unsafe SSL_session_reused(ssl) == 1
    }

    /// Whether there is something to read on: not looked at, looked at and a part of a record, or decrypted.
    var hasInput: Bool {
        let ssl = unsafe state.ssl
        return unsafe state.inputByteCount > 0 || SSL_has_pending(ssl) == 1
    }

    var information: TLSInformation? {
        guard state.isEstablished else { return nil }
        let ssl = unsafe state.ssl
        return unsafe TLSInformation(
            version: SSL_version(ssl) == TLS1_3_VERSION ? .v1_3 : .v1_2,
            cipher: String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))),
            applicationProtocol: chosenProtocol,
            serverName: SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { unsafe String(cString: $0) },
            isResumed: isResumed, peerSubject: peerSubject)
    }

    private var chosenProtocol: String? {
        let ssl = unsafe state.ssl
        var (name, count): (UnsafePointer<UInt8>?, UInt32) = (nil, 0)
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        guard count > 0 else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    private var peerSubject: String? {
        let ssl = unsafe state.ssl
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl), let bio = unsafe BIO_new(BIO_s_mem()) else {
            return nil
        }
        defer { unsafe BIO_free(bio) }
        guard unsafe X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, ringcast_name_flags()) >= 0 else {
            return nil
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe BIO_read(bio, $0.baseAddress, Int32($0.count)) }
        return count > 0 ? String(decoding: buffer[..<Int(count)], as: UTF8.self) : ""
    }
}

/// What was agreed on for a TLS connection.
public struct TLSInformation: Hashable, Sendable {
    /// The version that is spoken.
    public let version: TLSVersion
    /// OpenSSL's name of the cipher, such as `TLS_AES_256_GCM_SHA384`.
    public let cipher: String
    /// The protocol that ALPN chose; nil if it was not negotiated.
    public let applicationProtocol: String?
    /// The host that the client named (SNI), if any.
    public let serverName: String?
    /// Whether an earlier session went on.
    public let isResumed: Bool
    /// The subject of the peer's certificate as RFC 2253 writes it (`CN=ada,O=Example`), checked against the
    /// authorities, unless everybody is believed; nil if it showed none.
    public let peerSubject: String?
}

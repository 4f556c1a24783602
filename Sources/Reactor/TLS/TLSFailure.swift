internal import COpenSSL

/// Why TLS did not come about or broke, in words.
///
/// OpenSSL keeps a queue of errors for each thread, and reads an old one as the result of a new call: `clear` comes in
/// front of every call whose error matters.
enum TLSFailure {
    static func clear() {
        // OpenSSL goes through all sixteen places of the queue to empty it, which costs more than looking.
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// What the oldest error in the queue means; empties it.
    static func take() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return "the connection broke" }
        if ringcast_error_library(code) == ERR_LIB_SSL {
            switch ringcast_error_reason(code) {
            case SSL_R_HTTP_REQUEST: return "plain HTTP was spoken where TLS is expected"
            case SSL_R_WRONG_VERSION_NUMBER, SSL_R_UNKNOWN_PROTOCOL: return "what came was not TLS"
            case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
                return "no TLS version in common"
            case SSL_R_NO_SHARED_CIPHER: return "no cipher in common"
            case SSL_R_NO_APPLICATION_PROTOCOL: return "no application protocol (ALPN) in common"
            case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "no certificate was shown, and one is required"
            case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return "the peer does not know the authority behind the certificate"
            default: break
            }
        }
        guard let text = unsafe ERR_reason_error_string(code) else { return "OpenSSL's error \(code)" }
        return unsafe String(cString: text)
    }

    /// The reason of the oldest error, for those that set-up tells apart.
    static func isReason(_ reason: Int32, of library: Int32) -> Bool {
        let code = ERR_peek_error()
        return ringcast_error_library(code) == library && ringcast_error_reason(code) == reason
    }
}

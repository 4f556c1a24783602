/// How a listener speaks TLS: certificates, versions, and what it asks of clients.
///
/// Files are read when the server is made and at each reload, never in between.
public struct TLSConfiguration: Hashable, Sendable {
    /// At least one. A client that names a host (SNI, RFC 6066) gets the first certificate that is for it, every other
    /// client the first of all.
    public var certificates: [TLSCertificate]
    /// Whether clients have to show a certificate, and who must have issued it.
    public var clientCertificates: TLSClientCertificates
    /// Older versions are refused.
    public var minVersion: TLSVersion
    /// Ciphers of TLS 1.2, as OpenSSL's list (`ECDHE+AESGCM:ECDHE+CHACHA20`); nil takes those with forward secrecy and
    /// authenticated encryption, AES-128 first. The order is the server's, but clients that prefer ChaCha20 get it.
    public var ciphers: String?
    /// Cipher suites of TLS 1.3, joined by colons; nil takes `TLS_AES_128_GCM_SHA256`, then AES-256 and ChaCha20.
    public var cipherSuites: String?
    /// What a client that negotiates the protocol (ALPN, RFC 7301) may choose from, the best first. A client that
    /// offers none of them is refused, one that does not ask is served.
    public var applicationProtocols: [String]
    /// A connection whose handshake takes longer is cut. At most a day.
    public var handshakeTimeout: Duration

    /// By default: TLS 1.2 and 1.3, `http/1.1`, no client certificates, 10 s for a handshake.
    public init(
        certificates: [TLSCertificate], clientCertificates: TLSClientCertificates = .notAsked,
        minVersion: TLSVersion = .v1_2, ciphers: String? = nil, cipherSuites: String? = nil,
        applicationProtocols: [String] = ["http/1.1"], handshakeTimeout: Duration = .seconds(10)
    ) {
        self.certificates = certificates
        self.clientCertificates = clientCertificates
        self.minVersion = minVersion
        self.ciphers = ciphers
        self.cipherSuites = cipherSuites
        self.applicationProtocols = applicationProtocols
        self.handshakeTimeout = handshakeTimeout
    }

    /// One certificate with its chain, and its key, as PEM files.
    public init(certificateFile: String, keyFile: String, passphrase: String? = nil) {
        self.init(certificates: [
            TLSCertificate(chain: .file(certificateFile), key: .file(keyFile), passphrase: passphrase)
        ])
    }
}

/// Certificates or a key in PEM form.
public enum PEMSource: Hashable, Sendable {
    /// The path of a file.
    case file(String)
    /// The text itself.
    case text(String)
}

/// What one end of a connection shows for itself.
public struct TLSCertificate: Hashable, Sendable {
    /// The certificate, and behind it those that lead to the root: what is sent, no more and no less.
    public var chain: PEMSource
    /// The private key of the first certificate.
    public var key: PEMSource
    /// What the key is encrypted with; nil if it is not.
    public var passphrase: String?

    /// Nothing is read before the certificate is used.
    public init(chain: PEMSource, key: PEMSource, passphrase: String? = nil) {
        self.chain = chain
        self.key = key
        self.passphrase = passphrase
    }
}

/// What a server asks of its clients.
@nonexhaustive public enum TLSClientCertificates: Hashable, Sendable {
    /// No certificate.
    case notAsked
    /// A certificate that one of these authorities has issued, if the client has any; another one is refused.
    case optional(authorities: PEMSource)
    /// A certificate that one of these authorities has issued, else no connection.
    case required(authorities: PEMSource)
}

/// A version of the protocol.
@nonexhaustive public enum TLSVersion: Hashable, Sendable, CustomStringConvertible {
    /// RFC 5246.
    case v1_2
    /// RFC 8446.
    case v1_3

    /// `TLS 1.2` or `TLS 1.3`.
    public var description: String {
        switch self {
        case .v1_2: "TLS 1.2"
        case .v1_3: "TLS 1.3"
        }
    }
}

/// How a client speaks TLS: whom it trusts, and what it shows for itself.
public struct TLSClientConfiguration: Hashable, Sendable {
    /// Whose certificates are believed.
    public var trust: TLSTrust
    /// The client's own certificate, for servers that ask for one.
    public var certificate: TLSCertificate?
    /// Whom the server's certificate has to name, and what is sent as SNI; nil takes the host that is connected to.
    public var serverName: String?
    /// Older versions are refused.
    public var minVersion: TLSVersion
    /// What is offered by ALPN (RFC 7301), the best first; nothing if empty.
    public var applicationProtocols: [String]

    /// By default: the system's authorities, TLS 1.2 and 1.3, `http/1.1`.
    public init(
        trust: TLSTrust = .system, certificate: TLSCertificate? = nil, serverName: String? = nil,
        minVersion: TLSVersion = .v1_2, applicationProtocols: [String] = ["http/1.1"]
    ) {
        self.trust = trust
        self.certificate = certificate
        self.serverName = serverName
        self.minVersion = minVersion
        self.applicationProtocols = applicationProtocols
    }
}

/// Whose certificates a client believes.
@nonexhaustive public enum TLSTrust: Hashable, Sendable {
    /// The authorities that are installed on this machine.
    case system
    /// These authorities and no others.
    case authorities(PEMSource)
    /// Everybody's, so that whoever is on the way can read and change everything. For tests.
    case anybody
}

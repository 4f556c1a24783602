public import Reactor

/// One address that a server listens on. A server may have several, of different kinds.
public struct Endpoint: Sendable, Hashable {
    /// The address to listen on.
    public var address: Address
    /// Shares the port with other processes that ask for the same: connections are spread over all of them. Of a Unix
    /// socket: takes its path over from a process that is still serving it.
    public var reusePort: Bool
    /// The certificates to serve `https` and `wss` with; nil serves plain connections.
    public var tls: TLSConfiguration?

    /// Where a server may listen: what a loop's listener may.
    public typealias Address = ListenerConfiguration.Address

    /// An address of any kind.
    public init(_ address: Address, reusePort: Bool = false, tls: TLSConfiguration? = nil) {
        self.tls = tls
        self.address = address
        self.reusePort = reusePort
    }

    /// A port of one address, or of all, IPv6 and IPv4. 0 picks a free one, which `Server.addresses` tells.
    public static func tcp(
        hostname: String? = nil, port: Int, reusePort: Bool = false, tls: TLSConfiguration? = nil
    ) -> Endpoint {
        Endpoint(.tcp(hostname: hostname, port: port), reusePort: reusePort, tls: tls)
    }

    /// A Unix socket with a file.
    ///
    /// What a process that has ended has left at the path is replaced; a socket that somebody serves, and any other
    /// file, is an error. The file is removed when the server stops. One loop accepts and hands each connection to the
    /// loop with the fewest.
    /// - Parameters:
    ///   - path: at most 107 bytes. The directory has to be there.
    ///   - permissions: who may connect, as of `chmod`: 0o660 for owner and group. Nil leaves that to the umask.
    ///   - reusePort: whether to take the path over from a process that serves it, and to let others do so.
    public static func unix(path: String, permissions: UInt32? = nil, reusePort: Bool = false) -> Endpoint {
        Endpoint(.unix(path: path, permissions: permissions), reusePort: reusePort)
    }

    /// A Unix socket in Linux' abstract name space: no file, and every process of the network name space may connect.
    /// - Parameter name: at most 107 bytes.
    public static func abstract(_ name: String) -> Endpoint { Endpoint(.abstract(name: name)) }

    /// A TCP or Unix stream socket that listens already, and that somebody else has made. Those of systemd are found by
    /// `[Endpoint].systemd(named:tls:)`.
    ///
    /// One loop accepts, and hands each connection to the loop with the fewest: a kernel that has several loops accept
    /// on one socket wakes the same loop each time. When the server stops, what waits is accepted first; what comes
    /// later waits for whoever has the socket too, and is refused if nobody has.
    /// - Parameters:
    ///   - descriptor: belongs to the server from now on, which closes it, also where `Server.init` throws.
    ///   - tls: the certificates to serve it with; nil for plain connections.
    public static func inherited(descriptor: Int32, tls: TLSConfiguration? = nil) -> Endpoint {
        Endpoint(.inherited(descriptor: descriptor), tls: tls)
    }
}

extension ListenerConfiguration {
    init(_ endpoint: Endpoint) {
        self.init(endpoint.address, reusePort: endpoint.reusePort, tls: endpoint.tls)
    }
}

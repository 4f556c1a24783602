/// One address to listen on.
public struct ListenerConfiguration: Hashable, Sendable {
    /// Where to listen.
    public var address: Address
    /// Shares the port with other processes that share it too; otherwise a taken port is an error. A Unix socket takes
    /// its path over from a process that is still listening there.
    public var reusePort: Bool
    /// Connections that the kernel keeps until they are accepted; it has a limit of its own (`net.core.somaxconn`).
    public var backlog: Int
    /// How its connections speak TLS; nil if they are plain. The handler gets and sends plain bytes either way.
    public var tls: TLSConfiguration?

    /// Where a listener may listen.
    @nonexhaustive public enum Address: Hashable, Sendable {
        /// A numeric address or `localhost`; nil is every address, IPv4 and IPv6, through one socket. Port 0 picks a
        /// free one.
        case tcp(hostname: String?, port: Int)
        /// A Unix socket in the file system. One that nobody listens on any more is replaced, and the file is removed
        /// when the listener is closed. Permissions are those of `chmod`; nil leaves them to the umask.
        case unix(path: String, permissions: UInt32?)
        /// A Unix socket in Linux' abstract name space: no file, no permissions, gone with its process.
        case abstract(name: String)
        /// A TCP or Unix stream socket that listens already, by its descriptor: somebody else has made it, and has
        /// handed it to this process. The listener closes it in the end, also where a group cannot be made; `backlog`
        /// and `reusePort` are its maker's.
        case inherited(descriptor: Int32)
    }

    /// An address; nothing is bound before the group is made.
    public init(
        hostname: String? = nil, port: Int, reusePort: Bool = false, backlog: Int = 4096, tls: TLSConfiguration? = nil
    ) {
        self.init(.tcp(hostname: hostname, port: port), reusePort: reusePort, backlog: backlog, tls: tls)
    }

    /// An address of any kind; nothing is bound before the group is made.
    public init(
        _ address: Address, reusePort: Bool = false, backlog: Int = 4096, tls: TLSConfiguration? = nil
    ) {
        self.tls = tls
        self.address = address
        self.reusePort = reusePort
        self.backlog = backlog
    }
}

/// Where a listener really listens.
public struct ListenerAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address as configured; `::` or `0.0.0.0` for every one. Empty for a Unix socket.
    public let hostname: String
    /// The port that was bound, also when 0 asked for a free one. 0 for a Unix socket.
    public let port: Int
    /// The path of a Unix socket, or its abstract name behind an `@`; nil for TCP.
    public let path: String?

    package init(hostname: String, port: Int) {
        self.hostname = hostname
        self.port = port
        path = nil
    }

    init(path: String) {
        hostname = ""
        port = 0
        self.path = path
    }

    /// `127.0.0.1:3000`, `[::]:3000`, `unix:/run/chat.sock`, `unix:@chat`.
    public var description: String {
        if let path { return "unix:\(path)" }
        return hostname.contains(":") ? "[\(hostname)]:\(port)" : "\(hostname):\(port)"
    }
}

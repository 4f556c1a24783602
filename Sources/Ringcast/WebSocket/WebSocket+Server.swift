public import Logging
import Reactor

extension WebSocket {
    /// The server that the socket belongs to: to publish to everybody, to count, to list.
    ///
    /// Costs a reference count, which all loops share: a handler that runs for each message publishes cheaper with
    /// `publish`. A client's socket has no server, and to ask for one is a programming error: it traps.
    public var server: Server {
        guard let server = session.loop.server else { preconditionFailure("a client's WebSocket has no server") }
        return server
    }

    /// What names this socket in logs: no other socket of this server has it, nor one of another server or process but
    /// by chance (1 in 2³²). It stays when the socket is closed. Costs a string.
    public var id: String { session.id }

    /// The logger of the configuration, with metadata of this socket: its `id` as `socket`, the remote address as
    /// `remote`, and what was asked for (without the query, and on one line: control characters are percent-encoded) as
    /// `path`.
    ///
    /// Made when it is first asked for, and kept, which costs a system call and some allocations; a socket that never
    /// asks pays nothing. To log in a task, take the logger there with you: it may be used anywhere. Of a path 128
    /// bytes are kept, and where a loop's sockets have more than 4,096 different ones, the first part of the others.
    public var logger: Logger { session.logger }
}

extension WebSocketRef {
    /// The server that the socket belongs to; nil once nobody keeps it, and for a client's socket. Any thread. Costs a
    /// lock.
    public var server: Server? { lifeline.core.server }

    /// What names this socket in logs; see `WebSocket.id`. Any thread, also once the socket is closed.
    public var id: String { lifeline.core.id(ofSocket: lifeline.serial, on: lifeline.loop) }
}

extension SocketCore {
    func id(ofSocket serial: UInt64, on loop: Int) -> String { "\(tag)-\(loop)-\(serial)" }
}

extension Session {
    var id: String { loop.core.id(ofSocket: serial, on: loop.eventLoop.index) }

    /// What tells this socket from others in each line of the log that is about it.
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["socket": "\(id)"]
        if let address = connection.remoteAddress { metadata["remote"] = "\(address)" }
        if let path = unsafe loop.paths[state.pointee.path] { metadata["path"] = "\(path)" }
        return metadata
    }

    /// The socket's logger, made with its first use.
    fileprivate var logger: Logger {
        let extras = makeExtras()
        if let logger = extras.logger { return logger }
        var logger = loop.core.configuration.logger
        for (key, value) in metadata { logger[metadataKey: key] = value }
        extras.logger = logger
        return logger
    }
}

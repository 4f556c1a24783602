/// What the epoll driver knows of one connection, by its slot: 16 bytes.
struct EpollSocket: BitwiseCopyable {
    var descriptor: Int32 = -1
    var flags: EpollSocketFlags = []
    /// The token of the armed receive, while `flags` has `.receives`.
    var receiveToken = Token(.unanswered)
}

struct EpollSocketFlags: OptionSet, BitwiseCopyable {
    let rawValue: UInt8

    /// epoll tells of the socket.
    static let registered = EpollSocketFlags(rawValue: 1 << 0)
    /// A receive may find something: epoll has said so, and no receive has found the socket empty since.
    static let readable = EpollSocketFlags(rawValue: 1 << 1)
    /// The peer's end or an error waits behind what is there: epoll does not tell of it a second time, so receives go
    /// on until they have met it.
    static let hungUp = EpollSocketFlags(rawValue: 1 << 2)
    static let receives = EpollSocketFlags(rawValue: 1 << 3)
    /// In the driver's list of sockets to receive from.
    static let listed = EpollSocketFlags(rawValue: 1 << 4)
    /// A send waits for room.
    static let sends = EpollSocketFlags(rawValue: 1 << 5)
    static let connects = EpollSocketFlags(rawValue: 1 << 6)
    /// The receive that is armed uses large buffers.
    static let receivesLarge = EpollSocketFlags(rawValue: 1 << 7)
}

/// A listener, by its index.
struct EpollListener {
    var descriptor: Int32
    /// The token of the armed accept.
    var token: Token?
    /// Connections may wait.
    var isReadable = true
}

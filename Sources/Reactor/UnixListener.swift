internal import CSystemCalls
internal import Glibc
internal import SystemCalls

/// Unix stream sockets to listen on, by path or by abstract name.
enum UnixListener {
    /// A listening socket at a path, and its file.
    ///
    /// The file has its permissions before anyone can connect. What is left of a process that has ended is replaced;
    /// anything else there is an error. The directory is locked meanwhile, so that of two processes that start at the
    /// same time one finds the other.
    /// - Parameter takesOver: replaces a socket that another process is listening on, without a moment when there is
    ///   none. That process keeps the connections it has, and those that wait for it.
    static func bind(
        path: String, permissions: UInt32?, takesOver: Bool, backlog: Int
    ) throws(ReactorError) -> (Int32, SocketFile) {
        let lock = DirectoryLock(of: path, patience: 10_000)
        defer { lock.release() }
        let final = try UnixAddress(path: path)
        try checkWhatIsThere(final, path, takesOver: takesOver)
        // A socket that takes over is made beside the old one, and moved to its place when it is ready.
        let temporary = takesOver ? path + ".new" : path
        let address = takesOver ? try UnixAddress(path: temporary) : final
        _ = unsafe unlink(temporary)
        do throws(SystemError) {
            let descriptor = try open(address, permissions: permissions, backlog: backlog, at: temporary)
            if takesOver, unsafe rename(temporary, path) != 0 {
                let error = SystemError.last
                close(descriptor)
                _ = unsafe unlink(temporary)
                throw error
            }
            return (descriptor, SocketFile(at: path))
        } catch {
            throw cannotListen(path, error)
        }
    }

    /// A listening socket with an abstract name.
    static func bind(abstract name: String, backlog: Int) throws(ReactorError) -> Int32 {
        let address = try UnixAddress(abstract: name)
        do throws(SystemError) {
            return try open(address, permissions: nil, backlog: backlog, at: nil)
        } catch {
            throw cannotListen("@" + name, error)
        }
    }

    private static func checkWhatIsThere(_ address: UnixAddress, _ path: String, takesOver: Bool) throws(ReactorError) {
        var information = stat()
        guard unsafe lstat(path, &information) == 0 else { return }
        guard information.st_mode & S_IFMT == S_IFSOCK else {
            throw ReactorError("\(path) exists and is no socket: choose another path, or remove it", .addressInUse)
        }
        if takesOver { return }
        let answers = unsafe address.withPointer { unsafe ringcast_unix_answers($0, $1) }
        if answers != 0 { throw cannotListen(path, answers > 0 ? .addressInUse : SystemError(-answers)) }
    }

    private static func open(
        _ address: UnixAddress, permissions: UInt32?, backlog: Int, at path: String?
    ) throws(SystemError) -> Int32 {
        let descriptor = ringcast_tcp_socket(AF_UNIX)
        guard descriptor >= 0 else { throw SystemError(-descriptor) }
        // The file gets the socket's mode less the umask, and then exactly what was asked for; nobody can connect
        // before `listen`.
        if let permissions { fchmod(descriptor, permissions) }
        let isBound =
            unsafe address.withPointer { address, length in
                unsafe Glibc.bind(descriptor, address.assumingMemoryBound(to: sockaddr.self), length)
            } == 0
        if isBound, isChanged(path, to: permissions),
            listen(descriptor, Int32(clamping: backlog)) == 0
        {
            return descriptor
        }
        let error = SystemError.last
        close(descriptor)
        if isBound, let path { _ = unsafe unlink(path) }
        throw error
    }

    private static func isChanged(_ path: String?, to permissions: UInt32?) -> Bool {
        guard let path, let permissions else { return true }
        return unsafe chmod(path, permissions) == 0
    }

    private static func cannotListen(_ name: String, _ error: SystemError) -> ReactorError {
        switch error {
        case .addressInUse:
            ReactorError(
                "the Unix socket \(name) is taken: stop the other server, or choose another path", .addressInUse)
        case .accessDenied, .notPermitted:
            ReactorError("the Unix socket \(name) needs a permission that this process lacks: \(error)", .notPermitted)
        default: ReactorError("cannot listen on the Unix socket \(name): \(error)", .cannotListen)
        }
    }
}

/// A `sockaddr_un` and its length.
struct UnixAddress {
    private var address = sockaddr_un()
    private let length: socklen_t

    /// What `sun_path` holds, less the 0 that ends a path.
    static let longestName = 107

    init(path: String) throws(ReactorError) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= Self.longestName, !bytes.contains(0) else {
            throw ReactorError("\(path) is no path for a Unix socket: it has 1 to \(Self.longestName) bytes")
        }
        self.init(bytes: bytes + [0])
    }

    init(abstract name: String) throws(ReactorError) {
        let bytes = Array(name.utf8)
        guard !bytes.isEmpty, bytes.count <= Self.longestName else {
            throw ReactorError("\(name) is no abstract name for a Unix socket: it has 1 to \(Self.longestName) bytes")
        }
        self.init(bytes: [0] + bytes)
    }

    /// - Parameter bytes: 108 at most.
    private init(bytes: [UInt8]) {
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + bytes.count)
    }

    func withPointer<Result>(_ body: (UnsafeRawPointer, socklen_t) -> Result) -> Result {
        unsafe withUnsafeBytes(of: address) { unsafe body($0.baseAddress!, length) }
    }
}

/// The file of a Unix socket, known by its inode: another process may have put its own in its place.
struct SocketFile: Sendable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    init(at path: String) {
        var information = stat()
        _ = unsafe lstat(path, &information)
        self.path = path
        device = information.st_dev
        inode = information.st_ino
    }

    /// Removes the file, if it is still the one that was made.
    func remove() {
        // Called on a loop, which its connections wait for: hence the shorter patience.
        let lock = DirectoryLock(of: path, patience: 1_000)
        defer { lock.release() }
        var information = stat()
        guard unsafe lstat(path, &information) == 0, information.st_dev == device, information.st_ino == inode else {
            return
        }
        _ = unsafe unlink(path)
    }
}

/// Keeps other Ringcast processes from changing sockets in a directory at the same time. Leaves nothing behind; where
/// the directory cannot be opened or locked there is no lock.
private struct DirectoryLock {
    private let descriptor: Int32

    /// Waits until no other process has the lock. Ours have it for microseconds; somebody else's must not hold this up.
    /// - Parameter patience: the longest wait (ms).
    init(of path: String, patience: UInt64) {
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        descriptor = uninterrupted { unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { return }
        let end = MonotonicClock.milliseconds + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, [.wouldBlock, .interrupted].contains(SystemError.last),
            MonotonicClock.milliseconds < end
        {
            usleep(1_000)
        }
    }

    func release() {
        if descriptor >= 0 { close(descriptor) }
    }
}

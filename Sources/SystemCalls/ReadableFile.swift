internal import CSystemCalls
internal import Glibc

/// A regular file that is open for reading, as it was when it was opened. Closed with the last reference. Any thread.
package final class ReadableFile: Sendable {
    private let descriptor: Int32
    /// Its length.
    package let byteCount: Int
    /// When it was changed last, since 1970.
    package let modified: (seconds: Int, nanoseconds: Int)

    /// What a path leads to.
    package enum Opening: Sendable {
        case file(ReadableFile)
        case folder
        /// A device, a FIFO, a socket.
        case other
    }

    private init(_ descriptor: Int32, _ status: stat) {
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
        modified = (Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec))
    }

    deinit { close(descriptor) }

    /// Opens a path of the program's own.
    package static func open(_ path: String) throws(SystemError) -> Opening {
        try opening(unsafe ringcast_open_file(path))
    }

    /// Opens what lies below a folder, at a relative path without empty parts and without `..`. Never leaves the
    /// folder: a symbolic link is followed where its way stays within.
    /// - Parameter byNames: as where the kernel has no `openat2`: no link is followed.
    package static func open(
        _ path: String, beneath folder: String, byNames: Bool = false
    ) throws(SystemError) -> Opening {
        try opening(unsafe ringcast_open_beneath(folder, path, byNames))
    }

    private static func opening(_ descriptor: Int32) throws(SystemError) -> Opening {
        guard descriptor >= 0 else { throw SystemError(-descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = SystemError.last
            close(descriptor)
            throw error
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG else {
            close(descriptor)
            return kind == S_IFDIR ? .folder : .other
        }
        return .file(ReadableFile(descriptor, status))
    }

    /// The bytes at an offset, fewer only at the file's end; nil where the disk would have to be waited for, or the
    /// file system cannot tell.
    package func readCached(_ range: Range<Int>) -> [UInt8]? {
        try? unsafe readAll(range) { unsafe ringcast_read_cached($0, $1, $2, $3) }
    }

    /// The bytes at an offset, fewer only at the file's end. Waits for the disk.
    package func read(_ range: Range<Int>) throws(SystemError) -> [UInt8] {
        try unsafe readAll(range) { descriptor, memory, count, offset in
            let count = uninterrupted { unsafe pread(descriptor, memory, count, offset) }
            return count < 0 ? -Int(errno) : count
        }
    }

    private typealias ReadCall = (Int32, UnsafeMutableRawPointer, Int, Int) -> Int

    /// Calls until all is there, or the file ends.
    private func readAll(_ range: Range<Int>, by call: ReadCall) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < range.count {
            let more = try unsafe readOnce(range.lowerBound + bytes.count..<range.upperBound, by: call)
            guard !more.isEmpty else { break }
            if bytes.isEmpty { bytes = more } else { bytes += more }
        }
        return bytes
    }

    private func readOnce(_ range: Range<Int>, by call: ReadCall) throws(SystemError) -> [UInt8] {
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { memory, count in
            // Safe: the call writes no more than there is room for, and says how much that was.
            result = unsafe call(
                descriptor, UnsafeMutableRawPointer(memory.baseAddress!), range.count, range.lowerBound)
            count = max(0, result)
        }
        guard result >= 0 else { throw SystemError(Int32(-result)) }
        return bytes
    }
}

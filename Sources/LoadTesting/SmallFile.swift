import Glibc
import SystemCalls

/// Small files, as the kernel's are.
package enum SmallFile {
    /// The whole text; nil if it cannot be read.
    package static func read(_ path: String) -> String? {
        let descriptor = uninterrupted { unsafe open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            // Safe: the buffer outlives the call, which writes at most its length.
            let count = unsafe buffer.withUnsafeMutableBytes { buffer in
                uninterrupted { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
            }
            guard count > 0 else { return count == 0 ? String(decoding: text, as: UTF8.self) : nil }
            text += buffer[..<count]
        }
    }

    /// Replaces a file's text; false if it cannot be written.
    package static func write(_ text: String, to path: String) -> Bool {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let descriptor = uninterrupted { unsafe open(path, flags, 0o644) }
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(text, to: descriptor)
    }

    /// Writes all of it; false if the other end is gone.
    @discardableResult
    package static func write(_ text: String, to descriptor: Int32) -> Bool {
        write(Array(text.utf8), to: descriptor)
    }

    /// Writes all of it; false if the other end is gone.
    @discardableResult
    package static func write(_ all: [UInt8], to descriptor: Int32) -> Bool {
        var bytes = all[...]
        while !bytes.isEmpty {
            // Safe: the pointer is used during the call only.
            let count = unsafe bytes.withUnsafeBytes { bytes in
                uninterrupted { unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
            }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}

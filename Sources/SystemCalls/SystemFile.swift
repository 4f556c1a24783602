internal import Glibc

/// The small files in which Linux tells about itself: `/proc`, `/sys`.
package enum SystemFile {
    /// The first 4,096 bytes; nil where the file is empty or cannot be read.
    package static func read(_ path: String) -> String? {
        let descriptor = uninterrupted { unsafe open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = uninterrupted { unsafe Glibc.read(descriptor, &bytes, bytes.count) }
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }

    /// A file that holds one number.
    package static func number(_ path: String) -> Int? {
        read(path).flatMap { Int($0.trimming(while: \.isWhitespace)) }
    }
}

extension String {
    fileprivate func trimming(while isLeftOut: (Character) -> Bool) -> Substring {
        let rest = drop(while: isLeftOut)
        return rest.lastIndex { !isLeftOut($0) }.map { rest[...$0] } ?? ""
    }
}

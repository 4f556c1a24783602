internal import Glibc

/// Small files, above all those in which Linux tells about itself: `/proc`, `/sys`. Calls that a signal stops go on.
package enum SystemFile {
    /// The whole text; nil where the file cannot be read.
    package static func read(_ path: String) -> String? {
        let descriptor = uninterrupted { unsafe open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = uninterrupted { unsafe Glibc.read(descriptor, &bytes, bytes.count) }
            guard count > 0 else { return count == 0 ? String(decoding: text, as: UTF8.self) : nil }
            text += bytes[..<count]
        }
    }

    /// The number that a file holds; nil where it holds something else.
    package static func number(_ path: String) -> Int? {
        read(path).flatMap { Int($0.trimming(while: \.isWhitespace)) }
    }

    /// Replaces a file's text; false if it cannot be written.
    package static func write(_ text: String, to path: String) -> Bool {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let descriptor = uninterrupted { unsafe open(path, flags, 0o644) }
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(Array(text.utf8), to: descriptor)
    }

    /// Writes all bytes; false if the other end is gone.
    @discardableResult
    package static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Safe: the pointer is used during the call only.
            let count = unsafe rest.withUnsafeBytes { rest in
                uninterrupted { unsafe Glibc.write(descriptor, rest.baseAddress, rest.count) }
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Makes a folder in `/tmp` that only this user can use, whose name begins with `prefix`; nil where that cannot be.
    package static func makeTemporaryFolder(_ prefix: String) -> String? {
        // `mkdtemp` puts other letters in the place of the last six.
        var template = Array("/tmp/\(prefix)-\(String(repeating: "X", count: 6))".utf8CString)
        // Safe: the array ends with a zero and outlives the call, which changes its last letters.
        guard unsafe mkdtemp(&template) != nil else { return nil }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The names in a folder; none where there is no such folder.
    package static func names(in folder: String) -> [String] {
        guard let directory = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            // Safe: the entry is there until the next call, and its name ends with a zero.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

extension String {
    fileprivate func trimming(while isLeftOut: (Character) -> Bool) -> Substring {
        let rest = drop(while: isLeftOut)
        return rest.lastIndex { !isLeftOut($0) }.map { rest[...$0] } ?? ""
    }
}

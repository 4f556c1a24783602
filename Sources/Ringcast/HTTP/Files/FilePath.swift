import HTTPProtocol

/// A path below a folder, as requests give it: decoded, and still anybody's.
struct FilePath {
    let text: String
    /// Whether it names a folder: by a slash at its end, or by being empty.
    let isFolder: Bool

    /// Nil for what names no file that is meant to be read: absolute paths, empty parts, `..`, parts that begin with a
    /// dot, NUL. What is left the kernel keeps within the folder.
    init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var parts = text.split(separator: "/", omittingEmptySubsequences: false)
        isFolder = parts.last?.isEmpty ?? true
        if isFolder { parts = parts.dropLast() }
        guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }) else { return nil }
        self.text = text
    }

    /// Its last part, as a reference relative to where it stands: for a redirect to the folder of that name.
    var folderReference: String {
        var reference = "./"
        for byte in text.split(separator: "/").last?.utf8 ?? "".utf8[...] {
            reference += byte.isUnreserved ? String(UnicodeScalar(byte)) : byte.percentEncoded
        }
        return reference + "/"
    }
}

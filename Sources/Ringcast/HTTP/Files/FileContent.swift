import SystemCalls

/// Bytes of a file on their way to a client: the body of a streamed response.
struct FileContent: Sendable {
    let file: ReadableFile
    let range: Range<Int>

    /// Reads piece by piece, each when the one before is queued. What is in memory is read here, on the loop; what the
    /// disk has to be waited for, on Swift's pool.
    func write(to writer: BodyWriter) async throws {
        var position = range.lowerBound
        while position < range.upperBound {
            let part = position..<min(position + FileReply.pieceLength, range.upperBound)
            let bytes = if let bytes = file.readCached(part) { bytes } else { try await read(part) }
            guard bytes.count == part.count else { throw Shortened() }
            try await writer.write(bytes)
            position = part.upperBound
        }
    }

    private func read(_ part: Range<Int>) async throws -> [UInt8] {
        let file = file
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try file.read(part) }
    }

    /// The file has fewer bytes than when it was opened.
    struct Shortened: Error, CustomStringConvertible {
        var description: String { "the file became shorter while it was sent" }
    }
}

import HTTPProtocol
import HTTPTypes
import SystemCalls

/// A file that a request is answered with, before it is looked for.
struct FileReply: Sendable {
    enum Place: Sendable {
        /// A path of the program's own.
        case known(String)
        /// A path that may be a request's, below a folder of the program's.
        case beneath(_ folder: String, _ path: String, index: String?)
    }

    let place: Place
    var headers: HTTPFields

    /// So many bytes are read at once.
    static let pieceLength = 64 << 10
    /// So long (s) ago the last change has to be for a tag that tells every state apart: a kernel's clock for files
    /// goes in steps of milliseconds, and some file systems count seconds.
    private static let settlingTime = 2

    /// What the request is answered with.
    /// - Throws: what is not the request's fault.
    func answer(to conditions: RequestConditions, now: HTTPDate) throws(SystemError) -> Reply.Kind {
        let opening: (ReadableFile.Opening, name: String)?
        do throws(SystemError) {
            opening = try open()
        } catch .accessDenied {
            return .response(Response(status: .forbidden, text: "Forbidden\n"))
        } catch {
            guard Self.meansNothing.contains(error) else { throw error }
            opening = nil
        }
        switch opening {
        case (.file(let file), let name)?: return answer(with: file, named: name, to: conditions, now: now)
        case (.folder, _)?: return redirection ?? Self.notFound
        case (.other, _)?, nil: return Self.notFound
        }
    }

    /// What the kernel says of paths that lead to no file.
    private static let meansNothing: Set<SystemError> = [
        .notFound, .notFolder, .tooManyLinks, .nameTooLong, .crossesDevices, .noDevice,
    ]

    private static var notFound: Reply.Kind { .response(Response(status: .notFound, text: "Not Found\n")) }

    /// Opens what the path leads to; nil for a path that is none.
    private func open() throws(SystemError) -> (ReadableFile.Opening, name: String)? {
        switch place {
        case .known(let path): return (try ReadableFile.open(path), path)
        case .beneath(let folder, let text, let index):
            guard let path = FilePath(text) else { return nil }
            guard path.isFolder else { return (try ReadableFile.open(text, beneath: folder), text) }
            guard let index else { return nil }
            return (try ReadableFile.open(text + index, beneath: folder), index)
        }
    }

    /// From a folder to the same with a slash, where its index and what that refers to are.
    private var redirection: Reply.Kind? {
        guard case .beneath(_, let text, index: .some) = place, let path = FilePath(text), !path.isFolder else {
            return nil
        }
        let headers: HTTPFields = [.location: path.folderReference]
        return .response(Response(status: .movedPermanently, text: "Moved Permanently\n", headers: headers))
    }

    private func answer(
        with file: ReadableFile, named name: String, to conditions: RequestConditions, now: HTTPDate
    ) -> Reply.Kind {
        let changed = file.modified
        let isSettled = changed.seconds <= now.secondsSince1970 - Self.settlingTime
        // RFC 9110 §8.8.2.1: a change that is still to come is one of now.
        let representation = Representation(
            tag: EntityTag(
                byteCount: file.byteCount, modified: changed.seconds, changed.nanoseconds, isSettled: isSettled),
            modified: min(HTTPDate(secondsSince1970: changed.seconds), now), byteCount: file.byteCount)
        var headers = headers
        headers[.eTag] = representation.tag.description
        headers[.lastModified] = representation.modified.description
        headers[.acceptRanges] = "bytes"
        switch conditions.selection(of: representation, now: now) {
        case .whole: return body(0..<file.byteCount, of: file, named: name, .ok, headers, conditions)
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.byteCount)"
            return body(range, of: file, named: name, .partialContent, headers, conditions)
        case .notModified: return .response(Response(status: .notModified, text: "", headers: headers))
        case .preconditionFailed:
            return .response(Response(status: .preconditionFailed, text: "Precondition Failed\n"))
        case .unsatisfiable:
            let headers: HTTPFields = [.contentRange: "bytes */\(file.byteCount)"]
            return .response(Response(status: .rangeNotSatisfiable, text: "Range Not Satisfiable\n", headers: headers))
        }
    }

    /// What is short and in memory is sent at once.
    private func body(
        _ range: Range<Int>, of file: ReadableFile, named name: String, _ status: HTTPResponse.Status,
        _ headers: HTTPFields, _ conditions: RequestConditions
    ) -> Reply.Kind {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = MediaType.ofFile(name) }
        if conditions.method != .head, range.count <= Self.pieceLength, let bytes = file.readCached(range),
            bytes.count == range.count
        {
            return .response(Response(status: status, bytes: bytes, headers: headers))
        }
        let content = FileContent(file: file, range: range)
        return .stream(
            StreamedResponse(status: status, headers: headers, length: range.count) { try await content.write(to: $0) })
    }
}

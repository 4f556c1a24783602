import HTTPProtocol
import Testing

@Suite struct RequestConditionsTests {
    private static let modified = HTTPDate(secondsSince1970: 784_111_777)
    private static let before = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let exactly = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let now = HTTPDate(secondsSince1970: 1_796_000_000)

    private func selection(
        _ fields: String..., method: String = "GET", isWeak: Bool = false, byteCount: Int = 10
    ) throws -> Selection {
        let text = (["\(method) / HTTP/1.1", "Host: t"] + fields).map { $0 + "\r\n" }.joined() + "\r\n"
        let bytes = Array(text.utf8)
        var parser = RequestHeadParser()
        guard case .complete(let layout) = parser.parse(bytes.rawSpan) else {
            Issue.record("\(text)")
            return .whole
        }
        let conditions = RequestConditions(RequestHead(bytes: bytes.rawSpan, layout: layout))
        let representation = Representation(
            tag: EntityTag("now", isWeak: isWeak), modified: Self.modified, byteCount: byteCount)
        return conditions.selection(of: representation, now: Self.now)
    }

    @Test func `without conditions all is given`() throws {
        #expect(try selection() == .whole && selection(method: "HEAD") == .whole)
    }

    @Test func `If-None-Match compares weakly, and goes before the date`() throws {
        for method in ["GET", "HEAD"] {
            #expect(try selection("If-None-Match: \"now\"", method: method) == .notModified)
            #expect(try selection("If-None-Match: *", method: method) == .notModified)
        }
        #expect(try selection("If-None-Match: \"old\", W/\"now\"") == .notModified)
        #expect(try selection("If-None-Match: \"old\"", "If-None-Match: \"now\"") == .notModified)
        #expect(try selection("If-None-Match: \"now\"", isWeak: true) == .notModified)
        #expect(try selection("If-None-Match: \"old\"", "If-Modified-Since: \(Self.exactly)") == .whole)
        #expect(try selection("If-None-Match: now") == .whole, "no tag")
    }

    @Test func `If-Modified-Since is looked at by the second`() throws {
        #expect(try selection("If-Modified-Since: \(Self.exactly)") == .notModified)
        #expect(try selection("If-Modified-Since: \(Self.before)") == .whole)
        #expect(try selection("If-Modified-Since: yesterday") == .whole)
        #expect(try selection("If-Modified-Since: \(Self.exactly)", "If-Modified-Since: \(Self.exactly)") == .whole)
    }

    @Test func `If-Match compares strongly, and goes before all others`() throws {
        #expect(try selection("If-Match: \"now\"") == .whole && selection("If-Match: *") == .whole)
        #expect(try selection("If-Match: W/\"now\"") == .preconditionFailed)
        #expect(try selection("If-Match: \"now\"", isWeak: true) == .preconditionFailed)
        #expect(try selection("If-Match: now") == .preconditionFailed, "no tag")
        #expect(try selection("If-Match: \"old\"", "If-None-Match: \"now\"") == .preconditionFailed)
        #expect(try selection("If-Match: \"now\"", "If-Unmodified-Since: \(Self.before)") == .whole)
        #expect(try selection("If-Match: \"now\"", "If-None-Match: \"now\"") == .notModified)
    }

    @Test func `If-Unmodified-Since fails for what has changed since`() throws {
        #expect(try selection("If-Unmodified-Since: \(Self.before)") == .preconditionFailed)
        #expect(try selection("If-Unmodified-Since: \(Self.exactly)") == .whole)
        #expect(try selection("If-Unmodified-Since: tomorrow") == .whole)
    }

    @Test func `a range is given of GET alone, and of something`() throws {
        #expect(try selection("Range: bytes=2-3") == .part(2..<4))
        #expect(try selection("Range: bytes=2-3", method: "HEAD") == .whole)
        #expect(try selection("Range: bytes=2-3", byteCount: 0) == .whole)
        #expect(try selection("Range: bytes=10-") == .unsatisfiable)
        #expect(try selection("Range: bytes=0-1,3-4") == .whole, "several are given as none")
        #expect(try selection("Range: bytes=0-1", "Range: bytes=3-4") == .whole)
        #expect(try selection("Range: bytes=2-3", "If-None-Match: \"now\"") == .notModified)
    }

    @Test func `If-Range has to mean the same bytes`() throws {
        let range = "Range: bytes=2-3"
        #expect(try selection(range, "If-Range: \"now\"") == .part(2..<4))
        #expect(try selection(range, "If-Range: \(Self.exactly)") == .part(2..<4))
        for other in ["\"old\"", "W/\"now\"", "*", "\"now\", \"now\"", Self.before, "yesterday"] {
            #expect(try selection(range, "If-Range: \(other)") == .whole, "\(other)")
        }
        #expect(try selection(range, "If-Range: \"now\"", isWeak: true) == .whole)
        #expect(try selection(range, "If-Range: \(Self.exactly)", isWeak: true) == .whole)
        #expect(try selection("Range: bytes=10-", "If-Range: \"old\"") == .whole)
    }

    @Test func `other methods are not judged`() throws {
        #expect(try selection("If-None-Match: *", "If-Match: \"old\"", "Range: bytes=2-3", method: "POST") == .whole)
    }

    @Test(arguments: [
        ("index.html", "text/html; charset=utf-8"), ("a/b/APP.JS", "text/javascript; charset=utf-8"),
        ("a.tar.gz", "application/gzip"), ("x.woff2", "font/woff2"), ("logo.svg", "image/svg+xml"),
        ("README", MediaType.unknown), (".html", MediaType.unknown), ("a.html/b", MediaType.unknown),
        ("a.", MediaType.unknown), ("", MediaType.unknown), ("a.xyz", MediaType.unknown),
    ])
    func `a file's type is told by its ending`(_ name: String, _ type: String) {
        #expect(MediaType.ofFile(name) == type)
    }
}

/// A response as it was read from the wire.
struct HTTPAnswer {
    var status = 0
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }

    /// All values of a header.
    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    subscript(name: String) -> String? { values(name).first }
}

/// A connection that answers are read from.
protocol AnswerReading {
    /// The next line, without its end.
    func readLine() throws -> String
    func read(_ count: Int) throws -> [UInt8]
}

struct UnreadableAnswer: Error { let what: String }

extension AnswerReading {
    /// Reads one response. Its body is as long as it or its chunks say; `hasBody` is false for the answer to a HEAD.
    func readAnswer(hasBody: Bool = true) throws -> HTTPAnswer {
        var answer = HTTPAnswer()
        let line = try readLine()
        guard line.hasPrefix("HTTP/1.1 "), let status = Int(line.dropFirst(9).prefix(3)) else {
            throw UnreadableAnswer(what: "not a status line: \(line)")
        }
        answer.status = status
        while true {
            let line = try readLine()
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":") else { throw UnreadableAnswer(what: "not a field: \(line)") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            answer.fields.append((String(line[..<colon]), String(value)))
        }
        if hasBody, let length = answer["content-length"].flatMap({ Int($0) }) { answer.body = try read(length) }
        if hasBody, answer["transfer-encoding"] == "chunked" { answer.body = try readChunks() }
        return answer
    }

    /// Reads a body up to its last chunk.
    private func readChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try readLine()
            guard let count = Int(line, radix: 16) else { throw UnreadableAnswer(what: "not a chunk: \(line)") }
            body += try read(count)
            guard try readLine().isEmpty else { throw UnreadableAnswer(what: "a chunk without an end") }
            if count == 0 { return body }
        }
    }
}

extension TCPClient: AnswerReading {
    /// Sends a request without a body and reads its answer.
    func get(_ target: String, _ fields: String...) throws -> HTTPAnswer {
        try send("GET \(target) HTTP/1.1\r\nHost: test\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        return try readAnswer()
    }
}

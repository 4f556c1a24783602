import ReactorTesting

@testable import Ringcast

extension SimulatedServer {
    /// What requests on a connection of their own are answered with, as it came.
    func exchange(_ text: String) -> String {
        let peer = connect()
        peer.send(Array(text.utf8))
        rest()
        return String(decoding: peer.takeReceivedBytes(), as: UTF8.self)
    }

    /// The answer to a request without a body.
    func ask(_ method: String = "GET", _ target: String, _ fields: String...) -> SimulatedAnswer {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: test"] + fields
        return SimulatedAnswer(exchange(lines.map { $0 + "\r\n" }.joined() + "\r\n"))
    }

    /// The answer to a WebSocket handshake.
    func shakeHands(_ path: String, fields: [String] = []) -> SimulatedAnswer {
        SimulatedAnswer(exchange(SocketClient.request(path: path, fields: fields)))
    }
}

/// One answer of a simulated server.
struct SimulatedAnswer {
    let status: Int
    private let fields: [(name: Substring, value: Substring)]
    let text: String

    init(_ answer: String) {
        let head = answer.prefix { $0 != "\r\n" } + "\r\n"
        status = Int(head.dropFirst(9).prefix(3)) ?? 0
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        fields = (parts.first ?? "").split(separator: "\r\n").dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (line[..<colon], line[colon...].dropFirst(2))
        }
        text = parts.count > 1 ? String(parts[1]) : ""
    }

    subscript(name: String) -> String? {
        let values = fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

import Ringcast

@testable import RingcastCluster

extension EngineConversation {
    /// What the conversation makes of what an engine says, in pieces of so many bytes.
    func news(of text: String, in size: Int = .max) throws(EngineFailure) -> [String] {
        var told: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(size)
            let result = unsafe piece.withUnsafeBytes { piece in
                Result { () throws(EngineFailure) in try unsafe read(piece) { told.append(describe($0)) } }
            }
            try result.get()
        }
        return told
    }

    func describe(_ news: EngineNews) -> String {
        switch news {
        case .ready: "ready"
        case .confirmed: "confirmed"
        case .probed: "probed"
        case .kept(let message, let position, let topic):
            "\(topic.name) \(position): \(String(decoding: message, as: UTF8.self))"
        case .following(let topic): "following \(topic.name)"
        case .remembered(.appended): "appended"
        case .remembered(.refused(let reason)): "not kept: \(reason)"
        case .remembered(.unusable(let reason)): "unusable: \(reason)"
        case .remembered(.page(let page)):
            "page \(page.epoch) \(page.first)-\(page.last) after \(page.earlier.map(\.description)): "
                + page.messages.map { "\($0.offset) \(String(decoding: $0.bytes, as: UTF8.self))" }
                .joined(separator: ", ")
        case .startTLS: "TLS"
        case .refused(let reason): "refused \(reason)"
        case .answer(let bytes): "say \(String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "|"))"
        case .message(let name, let envelope):
            unsafe "\(topic(of: name)?.name ?? "?"): \(String(decoding: envelope, as: UTF8.self))"
        }
    }
}

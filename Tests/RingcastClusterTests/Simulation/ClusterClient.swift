import SimulatedKernel

/// A client of a node: bytes that the test makes, and frames read from what comes. It takes everything at once.
final class ClusterClient {
    let id: Int
    let node: SimulatedNode
    /// It has not ended its side, nor heard a Close.
    private(set) var isWell = true
    private let peer: SimulatedPeer
    private let ledger: ClusterLedger
    private var unread: [UInt8] = []
    private var isOpen = false

    init(id: Int, of node: SimulatedNode, on loop: SimulatedLoop, _ ledger: ClusterLedger) {
        (self.id, self.node, self.ledger) = (id, node, ledger)
        peer = loop.connect()
        peer.send(
            Array(
                """
                GET /\(id) HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
                """.utf8))
    }

    /// Says something, under a mask that changes nothing.
    func say(_ words: String) {
        guard isWell else { return }
        let payload = Array(words.utf8)
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)] : [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        peer.send([0x81] + length + [0, 0, 0, 0] + payload)
    }

    func breakOff(_ random: inout SeededGenerator) {
        guard isWell else { return }
        isWell = false
        ledger.ending(id)
        if random.oneIn(2) { peer.reset() } else { peer.end() }
    }

    /// Reads what has come, and says whether something had.
    func read() -> Bool {
        if peer.wasRefused || peer.isClosed { isWell = false }
        let bytes = peer.takeReceivedBytes()
        guard !bytes.isEmpty else { return false }
        unread += bytes
        if !isOpen {
            guard let end = unread.indices.first(where: { unread[$0...].starts(with: "\r\n\r\n".utf8) }) else {
                return true
            }
            isOpen = unread.starts(with: "HTTP/1.1 101".utf8)
            unread.removeFirst(end + 4)
            if !isOpen { isWell = false }
        }
        while isOpen, let (kind, payload) = takeFrame() {
            if kind == 1 { ledger.heard(id, String(decoding: payload, as: UTF8.self)) }
            if kind == 8 {
                isWell = false
                ledger.ending(id)
            }
        }
        return true
    }

    /// A whole frame of a server, which is not masked.
    private func takeFrame() -> (kind: UInt8, payload: [UInt8])? {
        guard unread.count >= 2 else { return nil }
        var (length, start) = (Int(unread[1]), 2)
        if length == 126 {
            guard unread.count >= 4 else { return nil }
            (length, start) = (Int(unread[2]) << 8 | Int(unread[3]), 4)
        }
        guard unread.count >= start + length else { return nil }
        defer { unread.removeFirst(start + length) }
        return (unread[0] & 15, Array(unread[start..<start + length]))
    }
}

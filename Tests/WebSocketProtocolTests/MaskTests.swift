import Testing

@testable import WebSocketProtocol

@Suite struct MaskTests {
    @Test func `a masked copy is what masking byte by byte gives, at every length and alignment`() {
        let key = MaskingKey(rawValue: UInt32(littleEndian: 0x3D21_FA37))
        let keyBytes: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        let source = (0..<400).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
        for count in Array(0...200) + [255, 256, 257, 380] {
            for offset in [0, 1, 3, 8] {
                let plain = Array(source[offset..<offset + count])
                var room = [UInt8](repeating: 0xEE, count: count + offset + 8)
                unsafe plain.withUnsafeBytes { plain in
                    unsafe room.withUnsafeMutableBytes { room in unsafe key.mask(plain, to: room.baseAddress! + offset)
                    }
                }
                let expected = plain.enumerated().map { $1 ^ keyBytes[$0 & 3] }
                #expect(Array(room[offset..<offset + count]) == expected, "\(count) bytes at \(offset)")
                #expect(
                    room[..<offset].allSatisfy { $0 == 0xEE } && room[(offset + count)...].allSatisfy { $0 == 0xEE })
            }
        }
    }

    @Test func `a handshake's key is 16 random bytes, and its answer is the one of the RFC`() throws {
        let keys = Set((0..<100).map { _ in ClientHandshake().key })
        #expect(keys.count == 100 && keys.allSatisfy { Base64.decodedLength(of: $0) == 16 })
        let handshake = ClientHandshake(nonce: Array("the sample nonce".utf8), subprotocols: ["chat", "superchat"])
        #expect(handshake.key == "dGhlIHNhbXBsZSBub25jZQ==")
        var response = HandshakeResponse(
            upgrade: "WebSocket", connection: "keep-alive, upgrade", accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(try handshake.check(response) == HandshakeAgreement())
        response.subprotocol = "superchat"
        #expect(try handshake.check(response).subprotocol == "superchat")
        response.subprotocol = "Chat"
        #expect(throws: HandshakeViolation.subprotocol("Chat")) { try handshake.check(response) }
        response.subprotocol = nil
        response.accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo"
        #expect(throws: HandshakeViolation.acceptValue) { try handshake.check(response) }
    }

    @Test func `names of subprotocols are tokens`() {
        #expect(["a", "graphql-transport-ws", "v1.x"].allSatisfy(ClientHandshake.isSubprotocol))
        #expect(["", "a b", "a,b", "a\"", "é", "a\r\n", "(a)"].allSatisfy { !ClientHandshake.isSubprotocol($0) })
    }
}

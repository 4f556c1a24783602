import Testing

@testable import WebSocketProtocol

@Suite struct SHA1Tests {
    @Test(arguments: [
        ("", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
        ("abc", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983E441C3BD26EBAAE4AA1F95129E5E54670F1"
        ),
        (
            String(repeating: "0123456701234567012345670123456701234567012345670123456701234567", count: 10),
            "DEA356A2CDDD90C7A7ECEDC5EBB563934F460452"
        ),
        (String(repeating: "a", count: 1_000_000), "34AA973CD4C4DAA4F61EEB2BDBAD27316534016F"),
    ])
    func `the vectors of RFC 3174 come out`(message: String, digest: String) {
        #expect(SHA1.digest(of: message.utf8) == [UInt8](hex: digest))
    }
}

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of RFC 4648 come out`(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decodedLength(of: encoded) == plain.utf8.count)
    }

    @Test func `the whole alphabet is used`() {
        let bytes = [UInt8](
            hex: "00108310518720928B30D38F41149351559761969B71D79F8218A39259A7A29AABB2DBAFC31CB3D35DB7E39EBBF3DFBF")
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        #expect(Base64.encode(bytes) == alphabet)
        #expect(Base64.decodedLength(of: alphabet) == 48)
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9-", "Zm 9"])
    func `what is not base64 has no length`(text: String) {
        #expect(Base64.decodedLength(of: text) == nil)
    }
}

import HTTPProtocol
import Testing

@Suite struct EntityTagTests {
    private func tags(_ text: String) -> [String]? {
        guard case .tags(let tags)? = EntityTagList(text) else { return nil }
        return tags.map(\.description)
    }

    @Test func `a list of tags is read`() {
        #expect(EntityTagList("*") == .any)
        #expect(tags(#""a""#) == [#""a""#])
        #expect(tags(#""a", W/"b","", "c,d""#) == [#""a""#, #"W/"b""#, #""""#, #""c,d""#])
        #expect(tags(#" , "a" ,, "b","#) == [#""a""#, #""b""#])
        #expect(tags(#""é!#~""#) == [#""é!#~""#])
    }

    @Test(arguments: [
        "", ",", "a", "\"a", "w/\"a\"", "W/a", "\"a\" \"b\"", "\"a\"b", "*, \"a\"", "\"a b\"", "\"\u{7F}\"",
    ])
    func `what is none is no list`(_ text: String) {
        #expect(EntityTagList(text) == nil)
    }

    @Test func `tags are compared as RFC 9110 has it`() {
        let (strong, weak, other) = (EntityTag("1"), EntityTag("1", isWeak: true), EntityTag("2"))
        #expect(strong.isStrongly(strong) && !strong.isStrongly(weak) && !weak.isStrongly(weak))
        #expect(strong.isWeakly(strong) && strong.isWeakly(weak) && weak.isWeakly(weak))
        #expect(!strong.isStrongly(other) && !strong.isWeakly(other))
    }

    @Test func `a file's tag tells its length and its moments apart, and is weak while they are new`() {
        let tag = EntityTag(byteCount: 10, modified: 1_000, 5, isSettled: true)
        #expect(tag.description == #""a-3e8-5""#)
        #expect(EntityTag(byteCount: 10, modified: 1_000, 5, isSettled: false).description == #"W/"a-3e8-5""#)
        for other in [(11, 1_000, 5), (10, 1_001, 5), (10, 1_000, 6)] {
            #expect(EntityTag(byteCount: other.0, modified: other.1, other.2, isSettled: true) != tag)
        }
    }

    @Test func `damaged lists never end the process, and what is read is written so again`() {
        var random = SplitMix64(state: 0x65_74_61_67)
        let parts = ["\"", "\"a\"", "W/", "a", ",", " ", "*", "\t", "é", "\u{1}", "\"b\"", ", "]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...7, using: &random)).map { _ in parts.randomElement(using: &random)! }
                .joined()
            guard let tags = tags(text) else { continue }
            #expect(self.tags(tags.joined(separator: ", ")) == tags, "\(text.debugDescription)")
        }
    }
}

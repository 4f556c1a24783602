import Testing

@testable import HTTPProtocol

@Suite struct RoutePatternTests {
    @Test func `a path is divided into literals, parameters and a rest`() throws {
        #expect(try RoutePattern("/").segments == [.literal([])])
        #expect(
            try RoutePattern("/rooms/:room/").segments == [
                .literal(Array("rooms".utf8)), .parameter("room"), .literal([]),
            ])
        #expect(try RoutePattern("/files/*").segments == [.literal(Array("files".utf8)), .rest("*")])
        #expect(try RoutePattern("/*path").parameterNames == ["path"])
        #expect(try RoutePattern("/:a/b/:c/*").parameterNames == ["a", "c", "*"])
        #expect(try RoutePattern("/:room_1/:Größe/*the-rest").parameterNames == ["room_1", "Größe", "the-rest"])
    }

    @Test func `literals are percent-decoded, and marks that are encoded are none`() throws {
        #expect(try RoutePattern("/a%20b%2Fc").segments == [.literal(Array("a b/c".utf8))])
        #expect(try RoutePattern("/%3Aname/%2A").segments == [.literal(Array(":name".utf8)), .literal([0x2A])])
        #expect(try RoutePattern("/café").segments == (try RoutePattern("/caf%C3%A9").segments))
        #expect(try RoutePattern("/a:b/a*").parameterNames == [])
    }

    @Test func `marks are bytes, also where a combining accent follows them`() throws {
        // Found by the fuzzer of routes: each of these marks and its accent are one character.
        #expect(try RoutePattern("/a/\u{301}b").segments == [.literal([0x61]), .literal([0xCC, 0x81, 0x62])])
        #expect(try RoutePattern("/\u{301}b").segments == [.literal([0xCC, 0x81, 0x62])])
        #expect(try RoutePattern("/:\u{301}").segments == [.parameter("\u{301}")])
        #expect(try RoutePattern("/*\u{301}").segments == [.rest("\u{301}")])
    }

    @Test(arguments: [
        ("", "slash"), ("rooms", "slash"), ("/a?b", "query"), ("/a#b", "fragment"), ("/*/a", "last segment"),
        ("/a//b", "two slashes"), ("/:", "without a name"), ("/:a/:a", "of one name"), ("/:a/*a", "of one name"),
        ("/:name.json", "called name.json"), ("/x/:id*", "called id*"), ("/:*", "called *"), ("/**", "called *"),
        ("/*a b", "called a b"),
        ("/:a/:b/:c/:d/:e/:f/:g/:h/*", "more than 8"),
    ])
    func `what makes no sense is told`(_ path: String, _ words: String) {
        #expect {
            _ = try RoutePattern(path)
        } throws: {
            ($0 as? UnfitRoutePattern)?.reason.contains(words) == true
        }
    }
}

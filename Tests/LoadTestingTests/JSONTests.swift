import LoadTesting
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "[1,2.5,-3]", #"{"a":{"b":[null,false]},"c":"d"}"#,
        #""quote \" and \\ and \u0007""#,
    ])
    func `what is read is written again`(text: String) {
        #expect(JSONParser.parse(text)?.description == text)
    }

    @Test func `space and escapes are understood`() {
        #expect(JSONParser.parse(" { \"a\" : [ 1 , 2 ] } \n")?.description == #"{"a":[1,2]}"#)
        #expect(JSONParser.parse(#""\u00e4\n\/""#) == .string("ä\n/"))
    }

    @Test(arguments: [
        "", "{", "[1,", "[1 2]", "{\"a\"}", "{\"a\":}", "\"", "\"\\", "\"\\u00\"", "nul", "1 2", "{1:2}", "--1",
        String(repeating: "[", count: 100_000),
    ])
    func `what is no JSON is nil`(text: String) {
        #expect(JSONParser.parse(text) == nil)
    }

    @Test func `numbers that JSON has not are null`() {
        #expect(JSON.number(.nan).description == "null" && JSON.number(.infinity).description == "null")
        #expect(JSON.number(1e20).description == "1e+20" && JSON.number(3).description == "3")
    }
}

import LoadTesting
import Testing

@Suite struct JSONTests {
    private struct Report: Codable, Equatable {
        var name: String
        var inner: [String: [String: Double]]
    }

    private func complaint(about text: String) -> String? {
        do throws(LoadFailure) {
            _ = try JSON.value(Report.self, in: text)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func `what is written is read again`() throws {
        let report = Report(name: "quote \" and \\ and / and \u{7} and ä", inner: ["a": ["b": 2.5, "c": -3]])
        let text = try JSON.text(report)
        #expect(try JSON.value(Report.self, in: text) == report)
        #expect(try JSON.value(Report.self, in: " { \"name\" : \"\\u00e4\\n\\/\", \"inner\" : { } } \n").name == "ä\n/")
        #expect(try JSON.text(["z": 3.0, "a": 0.25]) == #"{"a":0.25,"z":3}"#)
        #expect(try JSON.text(["ws://h/"]) == #"["ws://h/"]"#)
    }

    @Test func `parameters keep their kinds`() throws {
        let parameters: [String: JSON.Scalar] = [
            "a": .null, "b": .flag(true), "c": .number(1), "d": .number(0), "e": .text("1"), "f": .flag(false),
        ]
        let text = try JSON.text(parameters)
        #expect(text == #"{"a":null,"b":true,"c":1,"d":0,"e":"1","f":false}"#)
        #expect(try JSON.value([String: JSON.Scalar].self, in: text) == parameters)
    }

    @Test(arguments: [
        "", "{", "[1,", "[1 2]", "{\"a\"}", "{\"a\":}", "\"", "\"\\", "\"\\u00\"", "nul", "1 2", "{1:2}",
        String(repeating: "[", count: 100_000), String(repeating: "{\"name\":", count: 100_000),
        #"{"name":"a","other":"# + String(repeating: "[", count: 99_999) + String(repeating: "]", count: 99_999) + "}",
    ])
    func `what is no JSON, or nested beyond all sense, is refused`(text: String) {
        #expect(complaint(about: text) == "is not JSON")
    }

    @Test(arguments: [
        (#"{"inner":{}}"#, "has no 'name'"), (#"{"name":1,"inner":{}}"#, "has a 'name' that is no text"),
        (#"{"name":"a","inner":3}"#, "has a 'inner' that is no object"),
        (#"{"name":"a","inner":{"b":{"c":"d"}}}"#, "has a 'inner.b.c' that is no number"),
        (#"{"name":"a","inner":{"b":{"c":null}}}"#, "has a 'inner.b.c' that is no number"),
        ("[]", "is no JSON object"), ("17", "is no JSON object"),
    ])
    func `what is wrong is named, with its key`(text: String, sentence: String) {
        #expect(complaint(about: text) == sentence)
    }

    @Test(arguments: [
        "1e999", "--1", "1" + String(repeating: "0", count: 99_999), "0." + String(repeating: "1", count: 99_999),
    ])
    func `a number of any length is read or refused`(number: String) {
        let complaint = complaint(about: "{\"name\":\"a\",\"inner\":{\"b\":{\"c\":\(number)}}}")
        #expect(complaint == nil || complaint?.contains("inner.b.c") == true || complaint == "is not JSON")
    }

    @Test func `a key that comes twice is read once`() throws {
        let report = try JSON.value(Report.self, in: #"{"name":"a","name":"b","inner":{}}"#)
        #expect(["a", "b"].contains(report.name))
    }

    @Test func `numbers that JSON has not are null`() throws {
        #expect(JSON.figure(.nan) == nil && JSON.figure(.infinity) == nil && JSON.figure(nil) == nil)
        #expect(try JSON.text([JSON.figure(.nan), JSON.figure(1.23456), JSON.figure(3)]) == "[null,1.235,3]")
    }
}

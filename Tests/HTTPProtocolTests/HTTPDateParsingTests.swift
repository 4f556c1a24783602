import HTTPProtocol
import Testing

@Suite struct HTTPDateParsingTests {
    private static let now = HTTPDate(secondsSince1970: 1_796_000_000)  // November 2026

    private func seconds(_ text: String) -> Int? {
        HTTPDate(parsing: text, now: Self.now)?.secondsSince1970
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Mon, 06 Nov 1994 08:49:37 GMT",
    ])
    func `all three forms are read, whatever the day is called`(_ text: String) {
        #expect(seconds(text) == 784_111_777)
    }

    @Test(arguments: [
        "", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Wed, 31 Nov 1994 08:49:37 GMT", "Tue, 29 Feb 2100 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, +6 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    ])
    func `anything else is no date`(_ text: String) {
        #expect(seconds(text) == nil)
    }

    @Test func `a year of two digits is at most fifty years ahead`() {
        let year = { (digits: String) in
            HTTPDate(parsing: "Sunday, 01-Jan-\(digits) 00:00:00 GMT", now: Self.now)?.description.dropFirst(12).prefix(
                4)
        }
        #expect(year("26") == "2026" && year("76") == "2076" && year("77") == "1977" && year("99") == "1999")
    }

    @Test func `what is written is read again`() {
        var random = SplitMix64(state: 0x64_61_74_65)
        for _ in 0..<20_000 {
            let date = HTTPDate(secondsSince1970: Int.random(in: 0...253_402_300_799, using: &random))
            #expect(HTTPDate(parsing: date.description, now: Self.now) == date)
        }
    }
}

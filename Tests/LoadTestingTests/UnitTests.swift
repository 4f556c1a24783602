import Glibc
import Testing

@testable import LoadTesting

@Suite struct UnitTests {
    @Test(arguments: [("20ms", 20_000.0), ("1.5s", 1_500_000), ("300us", 300), ("500ns", 0.5), ("2m", 120_000_000)])
    func `times are read`(text: String, microseconds: Double) {
        #expect(Units.microseconds(text) == microseconds)
    }

    @Test(arguments: ["20", "ms", "", "1.2.3s", "inf s", "20 ms"])
    func `what is no time is nil`(text: String) {
        #expect(Units.microseconds(text) == nil)
    }

    @Test func `a time that no number holds is nil`() {
        #expect(Units.microseconds(String(repeating: "9", count: 308) + "h") == nil)
    }

    @Test func `a figure is written in full where its digits do not fit a whole number`() {
        #expect(Units.fixed(930_000_000_000_000, 4) == "930000000000000.0")
        #expect(JSON.figure(930_000_000_000_000, digits: 4) == 930_000_000_000_000)
    }

    @Test func `figures are shown with three digits`() {
        #expect(Units.show(microseconds: 0.95) == "950 ns")
        #expect(Units.show(microseconds: 12.34) == "12.3 µs")
        #expect(Units.show(microseconds: 4_560) == "4.56 ms")
        #expect(Units.show(count: 1_234_567) == "1.23M")
        #expect(Units.show(bytes: 2_048) == "2.00 KiB")
        #expect(Units.fixed(-1.005, 1) == "-1.0" && Units.fixed(-0.01, 1) == "0.0" && Units.fixed(.nan, 2) == "nan")
    }

    @Test func `a process's times stand behind its name, whatever that is`() {
        var sample = ProcessSample()
        let stat = "17 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20 0 3 0 100 200 300"
        let isRead = sample.addTimes(stat: stat)
        #expect(isRead)
        #expect(sample.user == 2.5 && sample.system == 1.5)
        for text in ["no parenthesis", "1 (a) S 1", ""] {
            let isRead = sample.addTimes(stat: text)
            #expect(!isRead, "\(text)")
        }
    }

    @Test func `memory and context switches are read`() {
        var sample = ProcessSample()
        let status = "Name:\tx\nVmRSS:\t    1234 kB\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t7\n"
        sample.addMemory(status: status)
        sample.addSwitches(status: status)
        #expect(sample.residentBytes == 1_234 * 1_024)
        #expect(sample.voluntarySwitches == 5 && sample.involuntarySwitches == 7)
    }

    @Test func `this process can be sampled, and one that is not there cannot`() throws {
        let sample = try #require(ProcessSample.take(of: getpid()))
        #expect(sample.residentBytes > 1_000_000 && sample.voluntarySwitches + sample.involuntarySwitches > 0)
        #expect(ProcessSample.take(of: 0x7FFF_FFFF) == nil)
    }

    @Test func `the chat benchmark says 1,600 texts of 595 bytes for each fifty`() {
        #expect(ChatScript.texts.count == 50 && ChatScript.texts.reduce(0) { $0 + $1.count } == 595)
        #expect(ChatScript.textsPerRound.isMultiple(of: 50))
    }
}

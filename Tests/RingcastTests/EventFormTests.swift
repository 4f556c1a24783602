import HTTPProtocol
import PubSub
import ReactorTesting
import SimulatedKernel
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Messages as server-sent events.
@Suite(.endingAll) struct EventFormTests {
    private func event(_ payload: [UInt8], _ opcode: Opcode = .text) -> [UInt8] {
        let frame = unsafe payload.withUnsafeBytes { unsafe [UInt8](OutgoingFrame(opcode, $0)) }
        return unsafe frame.withUnsafeBytes { EventForm.encode(unsafe EncodedFrame($0)) }
    }

    @Test(arguments: [
        ("hello", "data: hello\n\n"), ("", "data: \n\n"), (" two spaces", "data:  two spaces\n\n"),
        ("a\nb", "data: a\ndata: b\n\n"), ("a\r\nb\rc\n", "data: a\ndata: b\ndata: c\ndata: \n\n"),
        ("\n\r", "data: \ndata: \ndata: \n\n"),
        ("a\rdata: x\r\rid: 1", "data: a\ndata: data: x\ndata: \ndata: id: 1\n\n"),
        ("über\u{2028}", "data: über\u{2028}\n\n"),
    ])
    func `text has a data line for each of its lines`(_ text: String, _ expected: String) {
        #expect(String(decoding: event(Array(text.utf8)), as: UTF8.self) == expected)
    }

    @Test func `a binary message is a binary event in base64`() {
        #expect(event([0, 255, 10, 13], .binary) == Array("event: binary\ndata: AP8KDQ==\n\n".utf8))
        #expect(event([], .binary) == Array("event: binary\ndata: \n\n".utf8))
    }

    @Test func `whatever a text is, its reader gets one event, with its lines`() {
        var generator = SeededGenerator(seed: 15)
        let (lf, cr) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        let alphabet = [lf, cr, 0] + Array("ab: ï".utf8)
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            var expected: [UInt8] = []
            for (index, byte) in text.enumerated() where byte != lf || index == 0 || text[index - 1] != cr {
                expected.append(byte == cr ? lf : byte)
            }
            let events = EventStreamParser.events(in: event(text))
            #expect(events.map(\.data) == [String(decoding: expected, as: UTF8.self)], "\(text)")
        }
    }

    @Test func `an event is made once for all subscribers of a loop`() throws {
        let server = SimulatedServer(fetch: { _ in .events(of: "t") })
        let loop = try #require(server.simulation.loop.installedHandler as? SocketLoop)
        let frame = loop.eventLoop.share(unsafe OutgoingFrame(.text, UnsafeRawBufferPointer(start: nil, count: 0)))
        var made: FrameRenditions?
        let first = FrameRenditions.made(&made).event(of: frame, on: loop)
        let second = FrameRenditions.made(&made).event(of: frame, on: loop)
        #expect(unsafe first.bytes.baseAddress == second.bytes.baseAddress)
        #expect(unsafe [UInt8](first.bytes) == Array("data: \n\n".utf8))
    }
}

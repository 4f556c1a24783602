import HTTPProtocol
import HTTPTypes

/// Reads one response out of what a server sends, interim ones (1xx) left out.
struct AnswerReader {
    /// Bytes that have come and are not part of the answer: frames behind a 101.
    private(set) var rest: [UInt8] = []
    private(set) var head: ResponseHead?
    private(set) var body: [UInt8] = []
    private(set) var isComplete = false
    /// What is wrong with the answer, as the end of a sentence.
    private(set) var fault: String?
    private let isToHead: Bool
    private var parser = ResponseHeadParser()
    private var decoder: BodyDecoder?

    /// - Parameter isToHead: whether it answers a HEAD, and has no body whatever it says.
    init(isToHead: Bool = false) { self.isToHead = isToHead }

    var response: TestResponse? {
        guard isComplete, let head else { return nil }
        return TestResponse(head, body: body)
    }

    mutating func read(_ bytes: [UInt8]) {
        rest += bytes
        while head == nil, fault == nil {
            let bytes = rest
            switch unsafe parser.parse(bytes.span.bytes) {
            case .incomplete: return
            case .malformed(let what): fault = what
            case .complete(let head):
                rest.removeFirst(head.byteCount)
                parser = ResponseHeadParser()
                if head.status >= 200 || head.status == 101 { begin(head) }
            }
        }
        readBody()
    }

    private mutating func begin(_ head: ResponseHead) {
        self.head = head
        let framing = isToHead ? BodyFraming.none : head.bodyFraming
        if framing == BodyFraming.none { isComplete = true }
        decoder = framing.map { BodyDecoder(framing: $0, limit: .max) }
    }

    private mutating func readBody() {
        guard head != nil, !isComplete, fault == nil else { return }
        guard decoder != nil else {
            body += rest
            rest = []
            return
        }
        let bytes = rest
        var position = 0
        while !isComplete, let event = unsafe decoder?.next(in: bytes.span.bytes, at: &position) {
            switch event {
            case .data(let range): body += bytes[range]
            case .end: isComplete = true
            case .refused(let refusal):
                fault = refusal.reason
                return
            }
        }
        rest.removeFirst(position)
    }

    /// Nothing more comes: the end of a body that does not tell its length.
    mutating func connectionEnded() {
        guard !isComplete, fault == nil else { return }
        if head != nil, decoder == nil {
            isComplete = true
        } else if head != nil {
            fault = "the connection ended within its body"
        }
    }
}

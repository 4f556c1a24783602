import ReactorTesting
import Testing

@testable import Reactor

@Suite struct SendQueueTests {
    @Test func `a queue that never runs empty does not grow`() {
        var queue = SendQueue()
        var chunks = ChunkPool()
        _ = unsafe queue.append(600, chunks: &chunks)
        for _ in 0..<10_000 {
            _ = unsafe queue.beginSend()
            _ = unsafe queue.append(600, chunks: &chunks)
            queue.finishSend(taken: 600, chunks: &chunks) { _ in }
        }
        let (byteCount, capacity) = (queue.byteCount, queue.capacity)
        #expect(byteCount == 600 && capacity <= 8)
        queue.removeAll(chunks: &chunks) { _ in }
    }

    @Test func `a queue that was long is not kept for the next connection, a short one is`() {
        var pool = SendQueuePool()
        var chunks = ChunkPool()
        var capacities: [Int] = []
        for count in [8, 1_000] {
            let queue = unsafe pool.take()
            for _ in 0..<count { _ = unsafe queue.pointee.append(65_536, chunks: &chunks) }
            unsafe queue.pointee.removeAll(chunks: &chunks) { _ in }
            unsafe pool.giveBack(queue)
            let next = unsafe pool.take()
            unsafe capacities.append(next.pointee.capacity)
            unsafe pool.giveBack(next)
        }
        #expect(capacities[0] >= 8 && capacities[1] < 64, "\(capacities)")
    }

    /// A driver looks at the vector when it hands the operation over, which may be after the queue has grown.
    @Test func `the vector of a send under way stays as it was while the queue grows`() {
        var queue = SendQueue()
        var chunks = ChunkPool()
        for byte: UInt8 in [1, 2] {
            unsafe queue.append(65_536, chunks: &chunks).initializeMemory(
                as: UInt8.self, repeating: byte, count: 65_536)
        }
        let pieces = unsafe queue.beginSend()
        for _ in 0..<100 { _ = unsafe queue.append(65_536, chunks: &chunks) }
        // Whatever was freed meanwhile comes back here, and is overwritten.
        let others = (0..<64).map { _ in [UInt8](repeating: 0xFF, count: 32) }
        #expect(unsafe pieces.count == 2 && pieces[0].count == 65_536 && pieces[1].count == 65_536)
        #expect(unsafe pieces[0][0] == 1 && pieces[1][65_535] == 2)
        queue.finishSend(taken: 131_072, chunks: &chunks) { _ in }
        let left = queue.byteCount
        #expect(left == 100 * 65_536 && others.count == 64)
        queue.removeAll(chunks: &chunks) { _ in }
    }

    /// The lengths of the pieces of the next operation, which takes everything.
    private func sendNext(of queue: inout SendQueue, _ chunks: inout ChunkPool, atMost limit: Int? = nil) -> [Int] {
        let pieces = unsafe limit.map { unsafe queue.beginSend(atMost: $0) } ?? queue.beginSend()
        let lengths = unsafe (0..<pieces.count).map { unsafe pieces[$0].count }
        queue.finishSend(taken: lengths.reduce(0, +), chunks: &chunks) { _ in }
        return lengths
    }

    @Test func `a piece that is longer than the kernel takes at once goes in parts, all of it`() {
        var queue = SendQueue()
        var chunks = ChunkPool()
        // Only its length is looked at.
        let pretended = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: 4_096), count: 5 << 30)
        unsafe queue.append(pretended, of: ReceiveBuffer(.large, index: 0))
        _ = unsafe queue.append(10, chunks: &chunks)
        var lengths: [[Int]] = []
        while queue.byteCount > 0 { lengths.append(sendNext(of: &queue, &chunks)) }
        let limit = SendQueue.maxByteCount
        #expect(lengths == [[limit], [limit], [5 << 30 - 2 * limit, 10]])
    }

    @Test func `an operation takes whole pieces up to a limit, or the beginning of one`() {
        var queue = SendQueue()
        var chunks = ChunkPool()
        let bytes = [UInt8](repeating: 1, count: 100)
        unsafe bytes.withUnsafeBytes { bytes in
            for index: UInt16 in 0..<4 { unsafe queue.append(bytes, of: ReceiveBuffer(.small, index: index)) }
            var lengths: [[Int]] = []
            while queue.byteCount > 0 { lengths.append(sendNext(of: &queue, &chunks, atMost: 250)) }
            #expect(lengths == [[100, 100], [100, 100]])
            unsafe queue.append(bytes, of: ReceiveBuffer(.small, index: 0))
            #expect(sendNext(of: &queue, &chunks, atMost: 60) == [60])
            #expect(sendNext(of: &queue, &chunks, atMost: 60) == [40])
        }
        let isEmpty = queue.isEmpty
        #expect(isEmpty)
    }

    @Test func `behind a slow peer a small piece of a shared block is copied, and keeps nothing of it`() {
        var queue = SendQueue()
        var chunks = ChunkPool()
        var log = SharedLog()
        let small = unsafe log.append(3) { unsafe $0.storeBytes(of: 7, as: UInt8.self) }
        queue.append(small)
        _ = unsafe queue.append(5, chunks: &chunks)
        let large = unsafe log.append(SendQueue.pinnedByteCount) { _ in }
        queue.append(large)
        var released = 0
        queue.ownEverything(chunks: &chunks) { loan in
            log.take(back: loan)
            released += 1
        }
        #expect(released == 1)
        #expect(queue.byteCount == 8 + SendQueue.pinnedByteCount)
        queue.removeAll(chunks: &chunks) { log.take(back: $0) }
    }

    /// Frames of three bytes and more: 0 or 1 for urgent, a number, and how many bytes follow.
    private static func frame(_ kind: UInt8, _ number: Int, _ count: Int) -> [UInt8] {
        [kind, UInt8(number & 0xFF), UInt8(count)] + [UInt8](repeating: 9, count: count)
    }

    private static func copy(_ pieces: SendPieces, _ limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in unsafe 0..<pieces.count { unsafe bytes += pieces[index] }
        return Array(bytes.prefix(limit))
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `urgent bytes stand between whole frames, in their order, whatever was sent or sealed meanwhile`(
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        var chunks = ChunkPool()
        var queue = SendQueue()
        var sent: [UInt8] = []
        var numbers = [0, 0]
        for _ in 0..<3_000 {
            switch Int.random(in: 0..<7, using: &random) {
            case 0, 1, 2:
                let isUrgent = random.oneIn(3)
                let count = Int.random(in: 0...(isUrgent ? 125 : 250), using: &random)
                let bytes = Self.frame(isUrgent ? 1 : 0, numbers[isUrgent ? 1 : 0], count)
                numbers[isUrgent ? 1 : 0] += 1
                let room =
                    unsafe isUrgent
                    ? queue.insertUrgent(bytes.count, chunks: &chunks) : queue.append(bytes.count, chunks: &chunks)
                unsafe room.copyMemory(from: bytes, byteCount: bytes.count)
            case 3: if queue.submittedPieceCount == 0, !queue.isEmpty { _ = unsafe queue.beginSend(atMost: 600) }
            case 4, 5:
                guard queue.submittedPieceCount > 0 else { continue }
                let pieces = unsafe queue.beginSend(atMost: 600)
                let taken = Int.random(in: 0...queue.submittedByteCount, using: &random)
                sent += unsafe Self.copy(pieces, taken)
                queue.finishSend(taken: taken, chunks: &chunks) { _ in }
            default:
                // A part becomes a record, as TLS makes them: the first plain piece may be cut.
                guard queue.submittedPieceCount == 0, !queue.isEmpty else { continue }
                let pieces = unsafe queue.beginSend()
                let count = Int.random(in: 0...queue.submittedByteCount, using: &random)
                let bytes = unsafe Self.copy(pieces, count)
                guard bytes.count > 0 else { continue }
                queue.finishSend(taken: count, chunks: &chunks) { _ in }
                var output = SendQueue()
                unsafe output.append(count, chunks: &chunks).copyMemory(from: bytes, byteCount: count)
                output.markSealed()
                output.takeAll(of: &queue)
                // Plain ones may be taken behind it here, so that it need not be told apart.
                output.sealedPieceCount = 0
                output.front.pieceCount = max(output.front.pieceCount, 1)
                swap(&queue, &output)
            }
        }
        if !queue.isEmpty { sent += unsafe Self.copy(queue.beginSend(), .max) }
        queue.removeAll(chunks: &chunks) { _ in }
        var next = [0, 0]
        while let kind = sent.first {
            #expect(kind < 2 && sent[1] == UInt8(next[Int(kind)] & 0xFF))
            guard kind < 2 else { return }
            next[Int(kind)] += 1
            sent.removeFirst(3 + Int(sent[2]))
        }
        #expect(next == numbers)
    }

    @Test func `an ordinary send takes whole pieces up to its limit, and what is urgent comes next`() {
        var chunks = ChunkPool()
        var queue = SendQueue()
        for number in 0..<100 {
            let bytes = Self.frame(0, number, 200)
            unsafe queue.append(60_000, chunks: &chunks).copyMemory(from: bytes, byteCount: bytes.count)
        }
        _ = unsafe queue.beginSend(atMost: 256 << 10)
        let submitted = queue.submittedByteCount
        #expect((128 << 10...256 << 10).contains(submitted))
        unsafe queue.insertUrgent(3, chunks: &chunks).copyMemory(from: Self.frame(1, 7, 0), byteCount: 3)
        queue.finishSend(taken: submitted, chunks: &chunks) { _ in }
        let start = unsafe Self.copy(queue.beginSend(), 3)
        let (all, urgent) = (queue.byteCount, queue.front.urgentByteCount)
        #expect(start == [1, 7, 0] && all == 6_000_003 - submitted && urgent == 3)
        queue.finishSend(taken: 2, chunks: &chunks) { _ in }
        let left = queue.front.urgentByteCount
        #expect(left == 1)
        queue.removeAll(chunks: &chunks) { _ in }
    }
}

extension SharedLog {
    fileprivate mutating func take(back loan: SendQueue.Loan) {
        if case .sharedBlock(let block) = loan { release(block) }
    }
}

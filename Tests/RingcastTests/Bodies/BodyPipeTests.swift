import ReactorTesting
import Synchronization
import Testing

@testable import Ringcast

/// What lies between a connection and the task that reads its body, without either.
@Suite struct BodyPipeTests {
    private final class Asked: Sendable {
        private let number = Atomic<Int>(0)

        var count: Int { number.load(ordering: .relaxed) }

        func note() { number.add(1, ordering: .relaxed) }
    }

    private func pipe(window: Int = 4) -> (pipe: BodyPipe, asked: Asked) {
        let asked = Asked()
        let pipe = BodyPipe { asked.note() }
        pipe.limit(to: window)
        return (pipe, asked)
    }

    /// Reads once, on another thread than the test's.
    private func next(_ pipe: BodyPipe) throws -> [UInt8]? {
        try awaited { try await pipe.next(isolation: nil) }
    }

    @Test func `what waits is one piece, and a full pipe asks once it is read`() throws {
        let (pipe, asked) = pipe()
        #expect(pipe.put([1]) && pipe.put([2]) && pipe.room == 2)
        #expect(!pipe.put([3, 4]) && pipe.room == 0)
        #expect(asked.count == 0)
        #expect(try next(pipe) == [1, 2, 3, 4])
        #expect(asked.count == 1 && pipe.room == 4)
        pipe.finish()
        #expect(try next(pipe) == nil && next(pipe) == nil)
        #expect(asked.count == 1)
    }

    @Test func `a reader that finds nothing asks, and gets the next piece itself`() async throws {
        let (pipe, asked) = pipe()
        let pieces = Journal<[UInt8]?>()
        let task = Task { while let piece = try await pipe.next(isolation: nil) { pieces.note(piece) } }
        #expect(eventually { pipe.isAwaited } && asked.count == 1)
        #expect(pipe.put([1, 2, 3, 4]))
        #expect(pieces.wait() == [[1, 2, 3, 4]])
        #expect(eventually { pipe.isAwaited } && asked.count == 2)
        pipe.finish()
        try await task.value
        #expect(!pipe.isAwaited)
    }

    @Test func `a body that is there comes in pieces of the window`() throws {
        let pipe = BodyPipe(whole: [1, 2, 3, 4, 5])
        pipe.limit(to: 2)
        #expect(try next(pipe) == [1, 2] && next(pipe) == [3, 4] && next(pipe) == [5] && next(pipe) == nil)
    }

    @Test func `a failure goes before what waits, and stays`() throws {
        let (pipe, _) = pipe()
        _ = pipe.put([1])
        pipe.fail(.disconnected)
        pipe.finish()
        pipe.fail(.answered)
        for _ in 0..<2 { #expect(throws: RequestBodyError.disconnected) { try next(pipe) } }
    }

    @Test func `a second reader is told so, and the first goes on waiting`() throws {
        let (pipe, _) = pipe()
        let first = Journal<[UInt8]?>()
        let task = Task { first.note(try await pipe.next(isolation: nil)) }
        #expect(eventually { pipe.isAwaited })
        #expect(throws: RequestBodyError.beingRead) { try next(pipe) }
        _ = pipe.put([7])
        #expect(first.wait() == [[7]])
        task.cancel()
    }

    @Test func `a reader that is cancelled stops waiting, and loses nothing`() throws {
        let (pipe, _) = pipe()
        let outcome = Journal<RequestBodyError?>()
        let task = Task { () async in
            do throws(RequestBodyError) { _ = try await pipe.next(isolation: nil) } catch { outcome.note(error) }
        }
        #expect(eventually { pipe.isAwaited })
        task.cancel()
        #expect(outcome.wait() == [.cancelled])
        _ = pipe.put([1])
        #expect(try next(pipe) == [1])
    }

    @Test(arguments: [true, false])
    func `a body that has ended does not keep its connection`(_ isWhole: Bool) {
        weak var connection: Asked?
        let pipe: BodyPipe
        do {
            let asked = Asked()
            connection = asked
            pipe = BodyPipe { asked.note() }
        }
        #expect(connection != nil)
        if isWhole { pipe.finish() } else { pipe.fail(.disconnected) }
        #expect(connection == nil)
        withExtendedLifetime(pipe) {}
    }
}

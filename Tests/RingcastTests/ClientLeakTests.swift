import Testing

@testable import Ringcast

/// Every await of the client's face for tasks, cancelled hundreds of times. Each has a process of its own, so that all
/// its memory and all its descriptors are the client's.
@Suite(.timeLimit(.minutes(5))) struct ClientLeakTests {
    @Test(arguments: CancelledAwait.allCases)
    func `an await that is cancelled hundreds of times leaves nothing`(_ place: CancelledAwait) async {
        await #expect(processExitsWith: .success) { [place] in
            try await CancellationCount(of: place).expectNothingLeft()
        }
    }
}

/// Where a task waits for a client.
enum CancelledAwait: String, CaseIterable, Codable, Sendable {
    /// `connect`: behind other names that the resolver's threads are looking up, and by one of these.
    case nameQueue, nameResolution
    /// `connect`: each of its further stages.
    case connection, proxy, tls, answer, redirect
    /// `next` of `connections`: until it tries again, and until the last socket is closed.
    case backoff, replacement
    /// The socket's own.
    case message, backpressure, pong, close
}

import Glibc
import Synchronization
import Testing

@testable import Ringcast

/// The clients that a test makes on one group, by weak references.
final class ClientCensus: Sendable {
    private struct Entry: Sendable {
        weak let channel: ClientChannel?
        weak let client: WebSocketClient?
    }

    private let group: ClientGroup
    private let entries = Mutex<[Entry]>([])

    init(_ group: ClientGroup) { self.group = group }

    /// How many of them there still are.
    var livingCount: Int { entries.withLock { $0.count { $0.channel != nil || $0.client != nil } } }

    func connect(
        to request: ClientRequest, _ options: WebSocketOptions = WebSocketOptions()
    ) async throws(WebSocketClientError) -> WebSocketClient {
        let channel = ClientChannel(options)
        entries.withLock { $0.append(Entry(channel: channel, client: nil)) }
        let client = try await WebSocketClient.connect(request, over: channel, options, group)
        entries.withLock { $0.append(Entry(channel: nil, client: client)) }
        return client
    }

    /// Attempts that the group's first loop has under way; nil: it does not run.
    func attemptCount() -> Int? {
        let counts = Journal<Int?>()
        group.executor(of: 0).execute { [core = group.core] in counts.note(core.currentLoop?.attempts.count) }
        return counts.wait().first ?? nil
    }

    /// Connects in a task that is cancelled after so many milliseconds; nil, with no microseconds: before it begins.
    /// - Returns: nil if it was quicker; its socket is let go.
    func errorOfConnecting(
        to request: ClientRequest, cancelledAfter delay: Int?, _ microseconds: Int = 0
    ) async -> WebSocketClientError? {
        let isCancelledBefore = delay == nil && microseconds == 0
        let task = Task { () async -> WebSocketClientError? in
            if isCancelledBefore { cancelCurrentTask() }
            do throws(WebSocketClientError) {
                _ = try await self.connect(to: request)
                return nil
            } catch {
                return error
            }
        }
        try? await Task.sleep(for: .milliseconds(delay ?? 0) + .microseconds(microseconds))
        task.cancel()
        return await task.value
    }
}

/// Runs `body` with a group, and expects that it then holds no connection, no attempt, no client, and that this process
/// has no more descriptors open than before.
func expectNothingLeft(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (ClientGroup, ClientCensus) async throws -> Void
) async throws {
    let group = try ClientGroup()
    defer {
        group.stop()
        group.wait()
    }
    let census = ClientCensus(group)
    // A loop opens its ring on its own thread: what it has when it runs something is what it needs.
    #expect(census.attemptCount() == 0, sourceLocation: sourceLocation)
    // Swift's runtime keeps a timer descriptor for each clock from its first sleep on, and that is not a client's.
    try await Task.sleep(for: .milliseconds(1))
    let descriptors = openDescriptors()
    try await body(group, census)
    #expect(eventually { census.livingCount == 0 }, "\(census.livingCount) clients", sourceLocation: sourceLocation)
    #expect(
        eventually { group.statistics[0].connections == 0 && group.pendingWebSockets == 0 }, "\(group.statistics)",
        sourceLocation: sourceLocation)
    #expect(census.attemptCount() == 0, sourceLocation: sourceLocation)
    #expect(
        eventually { openDescriptors().count <= descriptors.count },
        "\(openDescriptors()), not \(descriptors)",
        sourceLocation: sourceLocation)
}

/// Cancels the task that calls it.
func cancelCurrentTask() { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }

/// What the descriptors of this process lead to, such as `socket:[123]`.
func openDescriptors() -> [String] {
    guard let directory = unsafe opendir("/proc/self/fd") else { return [] }
    defer { unsafe closedir(directory) }
    let own = unsafe "\(dirfd(directory))"
    var targets: [String] = []
    // Safe: an entry is read before the next call, and the buffer is as large as is said.
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
            unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
        }
        guard name != own, Int(name) != nil else { continue }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe readlink("/proc/self/fd/\(name)", buffer.baseAddress!.assumingMemoryBound(to: CChar.self), 256)
        }
        targets.append(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self))
    }
    return targets
}

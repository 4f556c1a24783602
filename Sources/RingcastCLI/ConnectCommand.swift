import ArgumentParser
import Dispatch
import Glibc
import Ringcast
import Synchronization
import SystemCalls
import UnixSignals

/// `ringcast connect`: a terminal's end of a WebSocket. Lines go out as messages, messages come in as lines.
struct ConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Talk to a WebSocket server: lines of standard input are sent, messages are printed.",
        discussion: """
            At the end of standard input the socket is closed, once the server has said nothing for --linger seconds: \
            `echo hello | ringcast connect ws://localhost:3000/echo`. The exit code is 0 after a normal close.
            """)

    @OptionGroup var options: ConnectOptions

    func run() async throws {
        let socket: WebSocketClient
        do {
            socket = try await WebSocketClient.connect(try options.request(), options: options.socketOptions)
        } catch let error as WebSocketClientError {
            throw CommandFailure(error.description)
        }
        if isTerminal(STDIN_FILENO) { note("connected" + (socket.subprotocol.map { ", subprotocol \($0)" } ?? "")) }
        // The task is not awaited: reading a line cannot be cancelled, and the end of the process ends it.
        let lastMessage = LastMessage()
        Task {
            await sendLines(to: socket)
            if !options.keepOpen { await close(socket, after: lastMessage) }
        }
        Task { await closeOnInterrupt(socket) }
        if options.ping > 0 { Task { await measureRoundTrips(of: socket) } }
        do {
            for try await message in socket.messages {
                show(message)
                lastMessage.note()
            }
        } catch {
            throw CommandFailure(error.description)
        }
        if isTerminal(STDIN_FILENO), let code = socket.closeCode { note("closed: \(code) \(socket.closeReason ?? "")") }
    }

    /// Sends one line at a time, each when the last one has been taken, so that a long input does not pile up here.
    private func sendLines(to socket: WebSocketClient) async {
        let input = DispatchQueue(label: "standard input")
        while true {
            let line = await withCheckedContinuation { continuation in
                input.async { continuation.resume(returning: readLine()) }
            }
            guard let line else { break }
            do {
                try await options.binary ? socket.send([UInt8](line.utf8)) : socket.send(line)
            } catch {
                return
            }
        }
    }

    /// Closes once the server has been silent for `--linger`: messages behind this end's Close are lost, so answers get
    /// their time.
    private func close(_ socket: WebSocketClient, after lastMessage: LastMessage) async {
        lastMessage.note()
        let silence = Duration.seconds(options.linger)
        while socket.readyState == .open, lastMessage.age < silence {
            do { try await Task.sleep(for: silence - lastMessage.age) } catch { break }
        }
        await socket.close()
    }

    private func closeOnInterrupt(_ socket: WebSocketClient) async {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
            // A second signal does not wait for the server's Close.
            if socket.readyState == .open { Task { await socket.close() } } else { socket.terminate() }
        }
    }

    private func measureRoundTrips(of socket: WebSocketClient) async {
        while let time = try? await socket.ping() {
            let microseconds = time.components.attoseconds / 1_000_000_000_000 + time.components.seconds * 1_000_000
            note("ping: \(microseconds) µs")
            do { try await Task.sleep(for: .seconds(options.ping)) } catch { return }
        }
    }

    private func show(_ message: OwnedMessage) {
        switch message {
        case .text(let text): write(text + "\n", to: STDOUT_FILENO)
        case .binary(let bytes) where options.binary: SystemFile.write(bytes, to: STDOUT_FILENO)
        case .binary(let bytes): write("\(bytes.count) bytes: \(Self.hexadecimal(bytes))\n", to: STDOUT_FILENO)
        }
    }

    /// Tells about the connection on standard error: standard output is for messages.
    private func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    private func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = bytes.prefix(64).map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }
        return digits.joined(separator: " ") + (bytes.count > 64 ? " …" : "")
    }
}

/// When the last message came, or the wait for one began.
private final class LastMessage: Sendable {
    private let time = Mutex(ContinuousClock.now)

    var age: Duration { ContinuousClock.now - time.withLock { $0 } }

    func note() { time.withLock { $0 = .now } }
}

// Follows a topic that remembers, and misses nothing, whatever becomes of the connection: `swift run follow
// ws://127.0.0.1:3000/news`, with Examples/News as the server.
import Glibc
import Ringcast

let url = CommandLine.arguments.dropFirst().first ?? "ws://127.0.0.1:3000/news"
// Each message says its position ("position":"81.7"), and each new socket asks to go on behind the last that was read:
// ws://127.0.0.1:3000/news?after=81.7
let policy = ReconnectPolicy(position: Position.inJSON)
for try await socket in WebSocketClient.connections(to: try ClientRequest(url), policy: policy) {
    say("(connected)")
    do {
        for try await message in socket.messages { say(message.string) }
    } catch {
        say("(\(error))")
    }
}

/// Prints a line at once, also into a pipe.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

// A TCP echo server on the Reactor alone: one loop per core, each with its own handler.
//
//     swift run -c release tcp-echo 7007
import Reactor

final class Echo: ConnectionHandler {
    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        connection.send(bytes.bytes)
        return bytes.byteCount
    }
}

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 7007
do {
    let group = try LoopGroup(configuration: .init(listeners: [.init(hostname: "127.0.0.1", port: port)])) { _ in Echo()
    }
    group.start()
    print("listening on 127.0.0.1:\(group.addresses[0].port) with \(group.loopCount) loops")
    group.wait()
} catch {
    print("tcp-echo: \(error)")
}

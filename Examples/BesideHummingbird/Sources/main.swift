// Two servers of one process in one service group: Hummingbird answers the API on port 8080, Ringcast has the sockets
// on $PORT or 3000. `swift run` in this folder; then a WebSocket client on ws://127.0.0.1:3000, and
//
//     curl -d 'It works' http://127.0.0.1:8080/news
import Hummingbird
import Logging
import Ringcast
import ServiceLifecycle

let readers = WebSocketHandlers<Void>(open: { ws in ws.subscribe(to: "news") })
// Both modules have a `Server`.
let sockets = try Ringcast.Server(configuration: .init(originPolicy: .any)) { _ in .upgrade(to: readers) }

let router = Router()
router.post("news") { request, _ in
    let body = try await request.body.collect(upTo: 4_096)
    sockets.publish(String(decoding: body.readableBytesView, as: UTF8.self), to: "news")  // from any thread
    return HTTPResponse.Status.noContent
}
let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
let api = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))

// Upon a signal the last is stopped first: no request comes any more when the sockets are closed.
let logger = Logger(label: "beside-hummingbird")
try await ServiceGroup(services: [sockets, api], gracefulShutdownSignals: [.sigint, .sigterm], logger: logger).run()

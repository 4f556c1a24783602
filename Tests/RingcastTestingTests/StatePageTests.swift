import Dispatch
import Ringcast
import RingcastTesting
import Synchronization
import Testing

/// The code of docs/state-and-threads.md, which a tidy test compares with this.
@Suite struct StatePageTests {
    struct Player {
        var score = 0
    }

    @Test func `a socket's own state needs nothing`() throws {
        let game = WebSocketHandlers<Player>(
            message: { ws, _ in
                ws.data.score += 1
                ws.send("\(ws.data.score)")
            })
        let app = try TestServer(loops: 2) { _ in .upgrade(to: game, with: Player()) }
        let (ann, bob) = (try app.connect(), try app.connect())
        for client in [ann, ann, bob] { client.send("hit") }
        #expect(ann.received.map(\.string) == ["1", "2"] && bob.received.map(\.string) == ["1"])
    }

    final class Records: Sendable {
        private let best = Mutex<[String: Int]>([:])

        /// Whether a score beats the best one of its game.
        func note(_ score: Int, in game: String) -> Bool {
            best.withLock { best in
                guard score > best[game, default: 0] else { return false }
                best[game] = score
                return true
            }
        }
    }

    @Test func `what all share has a lock, for as long as a look takes`() throws {
        let records = Records()
        let game = WebSocketHandlers<Player>(
            message: { ws, _ in
                ws.data.score += 1
                if records.note(ws.data.score, in: "darts") { ws.send("a record") }
            })
        let app = try TestServer(loops: 2) { _ in .upgrade(to: game, with: Player()) }
        let (ann, bob) = (try app.connect(), try app.connect())
        for client in [ann, ann, bob, ann] { client.send("hit") }
        #expect(ann.received.count == 3 && bob.received.isEmpty)
        #expect(!records.note(3, in: "darts") && records.note(4, in: "darts"))
    }

    actor Bank {
        private var balances: [String: Int] = [:]

        func pay(_ amount: Int, to name: String) async -> Int {
            balances[name, default: 0] += amount
            return balances[name]!
        }
    }

    @Test func `what has to be awaited anyway is an actor`() throws {
        let bank = Bank()
        let shop = WebSocketHandlers<String>(
            asyncMessage: { socket, message in
                guard let name = await socket.perform({ ws in ws.data }) else { return }
                let balance = await bank.pay(Int(message.string) ?? 0, to: name)  // other sockets are served meanwhile
                socket.send("\(balance)")
            })
        let app = try TestServer { request in .upgrade(to: shop, with: request.query("name")!) }
        let ann = try app.connect("/?name=ann")
        for amount in ["5", "7"] { ann.send(amount) }
        #expect(ann.received.map(\.string) == ["5", "12"])
    }

    @Test func `what each loop has of its own needs no lock`() async throws {
        let words = LoopLocal { [String: Int]() }
        let survey = WebSocketHandlers<Void>(
            message: { ws, message in words[ws][message.string, default: 0] += 1 })

        let app = try TestServer(loops: 2) { _ in .upgrade(to: survey) }
        let (ann, bob, cid) = (try app.connect(), try app.connect(), try app.connect())
        for client in [ann, bob, cid] { client.send("yes") }
        let sums = try await app.serving { server in
            let all = await words.values(of: server).reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
            return all
        }
        #expect(sums == ["yes": 3])
        #expect(try await app.serving { await words.values(of: $0) } == [["yes": 2], ["yes": 1]])
    }

    @Test func `what was read before an await may be another behind it`() throws {
        let clock = TestClock()
        let game = WebSocketHandlers<Player>(
            message: { ws, _ in
                ws.task { socket in
                    let before = await socket.perform { ws in ws.data.score }
                    try await clock.sleep(for: .seconds(1))
                    await socket.perform { ws in ws.data.score += 1 }  // not: = before + 1
                    socket.send("\(before ?? 0)")
                }
            })
        let app = try TestServer(clock: clock) { _ in .upgrade(to: game, with: Player()) }
        let ann = try app.connect()
        for _ in 1...2 { ann.send("hit") }
        app.advance(by: .seconds(1))
        ann.send("hit")
        app.advance(by: .seconds(1))
        #expect(ann.received.map(\.string) == ["0", "0", "2"])
    }
}

// Plays one workload against a server in this process, so that `Scripts/instructions` can count what it costs:
//
//     instruction-count WORKLOAD uring|epoll LOOPS ROUNDS CERTIFICATE KEY
//
// Loops, drivers and sockets are real; one thread turns the loops and is all clients in between, and the clock goes on
// by a millisecond each round, so that each run does the same. Loops that the workload has nothing to do with sleep.
// Counted is what `countedTurn` leads to, in user space. Prints how many messages (or connections) the counted rounds
// have had.
import Glibc
import Reactor

let arguments = CommandLine.arguments
guard arguments.count == 7, let workload = Workload(rawValue: arguments[1]), let loopCount = Int(arguments[3]),
    let rounds = Int(arguments[4])
else {
    let names = Workload.allCases.map(\.rawValue).joined(separator: "|")
    fatalError("usage: instruction-count \(names) uring|epoll LOOPS ROUNDS CERTIFICATE KEY")
}
let tls = TLSConfiguration(certificateFile: arguments[5], keyFile: arguments[6])
let world = try World(
    loops: max(loopCount, workload.loopCount), turning: workload.loopCount, driver: arguments[2],
    tls: workload.isSecure ? tls : nil)
let play = Play(workload, in: world)
// What is made once, such as pools and lanes, is made now.
for _ in 0..<10 { play.round() }
world.counts = true
var count = 0
for _ in 0..<rounds { count += play.round() }
print(count)

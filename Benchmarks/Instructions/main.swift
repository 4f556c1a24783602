// Plays one workload against a server in this process, so that `Scripts/instructions` can count what it costs:
//
//     instruction-count WORKLOAD uring|epoll ROUNDS
//
// Loops, drivers and sockets are real; one thread turns the loops and is all clients in between, and the clock goes on
// by a millisecond each round, so that each run does the same. Counted is what `countedTurn` leads to, in user space.
// Prints how many messages (or connections) the counted rounds have had.
import Glibc

let arguments = CommandLine.arguments
guard arguments.count == 4, let workload = Workload(rawValue: arguments[1]), let rounds = Int(arguments[3]) else {
    let names = Workload.allCases.map(\.rawValue).joined(separator: "|")
    fatalError("usage: instruction-count \(names) uring|epoll ROUNDS")
}
let world = try World(loops: workload.loopCount, driver: arguments[2])
let play = Play(workload, in: world)
// What is made once, such as pools and lanes, is made now.
for _ in 0..<10 { play.round() }
world.counts = true
var count = 0
for _ in 0..<rounds { count += play.round() }
print(count)

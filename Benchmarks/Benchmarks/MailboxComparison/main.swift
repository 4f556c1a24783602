import Glibc

// A lane per producer against one queue for all (docs/decisions/mailbox.md):
//
//     swift run -c release --package-path Benchmarks mailbox-comparison [PAIRS [MESSAGES]]
//     valgrind --tool=callgrind …/mailbox-comparison once lanes|queue BURST MESSAGES [PRODUCERS]
//
// The first prints for each number of producers and size of bursts the median and the range of queue ÷ lanes, of pairs
// run in turn: above 1 means that the queue costs more. The second runs one of them, to count its instructions: without
// PRODUCERS everything on one thread, which takes what it has pushed behind every burst.

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "once" {
    let numbers = arguments.dropFirst(2).compactMap { Int($0) }
    if arguments.dropFirst().first == "lanes" {
        once(Mailbox<Message>.self, numbers)
    } else {
        once(SingleQueueMailbox<Message>.self, numbers)
    }
    exit(0)
}

let pairs = arguments.first.flatMap { Int($0) } ?? 9
let messages = arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
print("producers burst | cpu: queue ÷ lanes      | wall: queue ÷ lanes     | ns of cpu a message: lanes, queue")
for producers in [2, 4, 8, 16] {
    for burst in [1, 16, 128] {
        var lanes: [Cost] = []
        var queue: [Cost] = []
        for pair in 0..<pairs {
            // Who is first changes, so that what heats up or drifts meets both.
            for isLanes in pair % 2 == 0 ? [true, false] : [false, true] {
                if isLanes {
                    lanes.append(
                        run(Mailbox<Message>.self, producers: producers, burst: burst, messages: messages))
                } else {
                    queue.append(
                        run(SingleQueueMailbox<Message>.self, producers: producers, burst: burst, messages: messages))
                }
            }
        }
        let cpu = summary(zip(queue, lanes).map { $0.cpu / $1.cpu })
        let wall = summary(zip(queue, lanes).map { $0.wall / $1.wall })
        let nanoseconds = [lanes, queue].map { median($0.map { $0.cpu / Double(messages) * 1e9 }) }
        print(producers, burst, "|", cpu, "|", wall, "|", rounded(nanoseconds[0]), rounded(nanoseconds[1]))
    }
}

/// - Parameter numbers: size of a burst, messages, and producers as threads.
func once<Box: Candidate>(_ type: Box.Type, _ numbers: [Int]) {
    guard numbers.count == 3 else { return alone(type, burst: numbers[0], messages: numbers[1]) }
    _ = run(type, producers: numbers[2], burst: numbers[0], messages: numbers[1])
}

func alone<Box: Candidate>(_: Box.Type, burst: Int, messages: Int) {
    let box = Box(producers: 16)
    var taken = 0
    for round in 0..<messages / burst {
        for number in 0..<burst { precondition(box.push(Message(producer: 3, sequence: number), from: round % 16)) }
        precondition(!box.shouldWake(from: round % 16))
        taken += box.drain(limit: .max) { _ in }
    }
    precondition(taken == messages / burst * burst)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
func summary(_ values: [Double]) -> String {
    "\(rounded(median(values))) (\(rounded(values.min()!))–\(rounded(values.max()!)))"
}

import Benchmark
import MailboxSources

/// What one message through a mailbox costs producer and consumer together, on one thread: no wake-ups, no misses.
func mailboxBenchmarks() {
    for batch in [1, 16, 128] {
        Benchmark("mailbox.lane.\(batch)") { benchmark in
            let mailbox = Mailbox<Int>(producers: 2)
            for _ in benchmark.scaledIterations {
                for number in 0..<batch { blackHole(mailbox.push(number, from: 1)) }
                blackHole(mailbox.shouldWake(from: 1))
                blackHole(mailbox.drain { blackHole($0) })
            }
        }
        Benchmark("mailbox.foreign.\(batch)") { benchmark in
            let mailbox = Mailbox<Int>(producers: 2)
            for _ in benchmark.scaledIterations {
                for number in 0..<batch { blackHole(mailbox.push(foreign: number)) }
                blackHole(mailbox.shouldWakeAfterForeignPush())
                blackHole(mailbox.drain { blackHole($0) })
            }
        }
    }
}

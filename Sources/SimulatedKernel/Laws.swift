internal import Synchronization

/// Where broken laws are noted; without one, the first ends the process.
package final class LawBook: Sendable {
    @TaskLocal package static var current: LawBook?

    private let first = Mutex<String?>(nil)

    package init() {}

    /// The first law that was broken, if one was.
    package var brokenLaw: String? { first.withLock { $0 } }

    fileprivate func note(_ law: String) { first.withLock { $0 = $0 ?? law } }
}

/// What every loop has to keep to.
func law(_ holds: Bool, _ broken: @autoclosure () -> String) {
    if holds { return }
    let sentence = "the loop broke a law of its driver: \(broken())"
    guard let book = LawBook.current else { fatalError(sentence) }
    book.note(sentence)
}

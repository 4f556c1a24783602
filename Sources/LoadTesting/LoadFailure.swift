/// Why a load could not be run: one sentence, with what to do.
package struct LoadFailure: Error, Equatable, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}

extension Duration {
    /// The first of some named times that is negative, in one sentence.
    static func objection(to times: [(String, Duration)]) -> String? {
        times.first { $0.1 < .zero }.map { "\($0.0) is \($0.1): a time cannot be negative" }
    }
}

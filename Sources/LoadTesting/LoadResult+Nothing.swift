extension LoadResult {
    /// Makes a load a failure in which nothing was answered: a server that answers nothing has passed no test.
    mutating func failIfNothingCame() {
        guard failure == nil, !interrupted, seconds > 0, latency == nil else { return }
        if total.opened == 0 {
            failure = firstError
        } else {
            failure = complaint(reason: firstError.map { ": \($0)" } ?? "")
        }
    }

    /// Why a load without latencies has failed; nil where the workload may have none.
    private func complaint(reason: String) -> String? {
        switch plan.workload {
        case .idle: nil
        case .echo, .churn:
            total.answered > 0
                ? "no message came back while it was measured\(reason); \(total.answered) did before, and "
                    + "\(total.lost) are lost"
                : "no message came back as it was sent\(reason); does the server echo at \(plan.url)?"
        case .fanout, .slow:
            "nothing that was published came to a subscriber\(reason); are \(plan.url) and \(plan.publishURL) "
                + "(--publish-url) where the server's topics are?"
        case .chat:
            // A round may take longer than the whole load.
            counters.received > 0
                ? nil : "no round of the chat was completed\(reason); does \(plan.url) tell everyone, the sender too?"
        case .mixed:
            total.lost > 0 && plan.scenario?.paths.contains(where: \.waitsForAnswer) == true
                ? "no message of the scenario was answered\(reason); do its paths echo, or are they to be 'quiet'?"
                : nil
        }
    }
}

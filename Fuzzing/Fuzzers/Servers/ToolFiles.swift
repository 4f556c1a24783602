import FuzzSupport

@testable import LoadTesting

/// Files and options of the tool: scenarios, thresholds, and JSON.
enum ToolFiles {
    static func run(_ input: inout FuzzInput) {
        let kind = input.number(below: 3)
        let text = input.text()
        switch kind {
        case 0: checkScenario(text)
        case 1: checkJSON(text)
        default: checkThreshold(text)
        }
    }

    private static func checkScenario(_ text: String) {
        do throws(LoadFailure) {
            let scenario = try Scenario.parse(text)
            require(scenario.duration.isFinite && scenario.duration > 0, "it lasts \(scenario.duration) s")
            require(scenario.size.lowerBound >= 0 && scenario.size.upperBound <= 16 << 20, "sizes \(scenario.size)")
            for phase in scenario.phases {
                require(phase.think.lowerBound >= 0 && phase.think.upperBound.isFinite, "think times \(phase.think)")
            }
            for share in [0, 0.25, 0.5, 0.999_999] {
                guard let moment = scenario.moment(at: scenario.duration * share) else { continue }
                require(0...scenario.mostConnections ~= moment.users, "\(moment.users) users")
                require(scenario.paths.contains(scenario.path(at: share)), "a path that is none")
            }
            require(try Scenario.parse(text + "\n# end") == scenario, "a remark changes it")
            guard !text.utf8.contains(0x0D) else { return }
            let ends = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
            require(try Scenario.parse(ends) == scenario, "other line ends change it")
        } catch {
            require(!error.message.isEmpty, "no reason")
        }
    }

    /// What is read can be written, and is then read as the same.
    private static func checkJSON(_ text: String) {
        do {
            let value = try JSON.value([String: [JSON.Scalar]].self, in: text)
            let written = try JSON.text(value)
            require(try JSON.value([String: [JSON.Scalar]].self, in: written) == value, "\(written) is another value")
            for case .number(let number) in value.values.joined() {
                _ = (JSON.figure(number, digits: 4), Units.show(count: number), Units.show(bytes: number))
                _ = (Units.show(wait: number), Units.show(microseconds: number))
            }
        } catch {
            guard let error = error as? LoadFailure, !error.message.isEmpty else { fatalError("\(error)") }
        }
    }

    private static func checkThreshold(_ text: String) {
        do throws(LoadFailure) {
            let threshold = try Threshold(text)
            require(threshold.limit.isFinite, "a limit of \(threshold.limit)")
        } catch {
            require(error.message.hasPrefix("--fail-if"), error.message)
        }
    }
}

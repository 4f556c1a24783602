import LoadTesting
import Testing

@Suite struct ScenarioTests {
    private let example = """
        # a working day
        path /echo 80
        path /topic/{topic} 20 quiet   # nothing comes back
        size 20..400
        phase ramp-up
            duration 10s
            users 0 -> 500
            think 1s..3s
        phase steady state
            duration 2m
        phase end
            duration 500ms
            users 500 -> 10
            think 10ms
        """

    @Test func `the example is read`() throws {
        let scenario = try Scenario.parse(example)
        #expect(scenario.paths.map(\.path) == ["/echo", "/topic/{topic}"])
        #expect(scenario.paths.map(\.waitsForAnswer) == [true, false])
        #expect(scenario.size == 20...400)
        #expect(scenario.phases.map(\.name) == ["ramp-up", "steady state", "end"])
        #expect(scenario.duration == 130.5 && scenario.mostConnections == 500)
    }

    @Test func `lines may end as they do on Windows`() throws {
        let text = example.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        #expect(try Scenario.parse(text) == Scenario.parse(example))
        let failure = #expect(throws: LoadFailure.self) { try Scenario.parse("phase a\r\nusers many\r\n") }
        #expect(failure?.message.contains("line 2") == true)
    }

    @Test func `a phase keeps what it does not say`() throws {
        let steady = try Scenario.parse(example).phases[1]
        #expect(steady.users == (500, 500) && steady.think == 1...3)
    }

    @Test func `users change evenly, and it ends`() throws {
        let scenario = try Scenario.parse(example)
        #expect(scenario.moment(at: 0)?.users == 0)
        #expect(scenario.moment(at: 5)?.users == 250)
        #expect(scenario.moment(at: 60)?.users == 500)
        #expect(scenario.moment(at: 130.25)?.users == 255)
        #expect(scenario.moment(at: 130.5) == nil)
    }

    @Test func `paths are chosen by their weight`() throws {
        let scenario = try Scenario.parse(example)
        #expect(scenario.path(at: 0).path == "/echo")
        #expect(scenario.path(at: 0.799).path == "/echo")
        #expect(scenario.path(at: 0.801).path == "/topic/{topic}")
        #expect(scenario.path(at: 1).path == "/topic/{topic}")
    }

    @Test(arguments: [
        ("", "no phase"), ("users 5", "line 1"), ("phase", "line 1"), ("phase a\nusers many", "line 2"),
        ("phase a\nduration 10", "line 2"), ("phase a\nthink 3s..1s", "line 2"), ("path echo", "line 1"),
        ("size 1..99999999999", "line 1"), ("fly 5", "line 1"), ("phase a\nusers 5", "no duration"),
        ("phase a\nduration 1s", "no users"), ("path /a 0", "line 1"), ("path /a 5 loud", "line 1"),
        ("phase a\nusers 5 -> ", "line 2"),
    ])
    func `what cannot be understood is refused, with its line`(text: String, part: String) {
        let failure = #expect(throws: LoadFailure.self) { try Scenario.parse(text) }
        #expect(failure?.message.contains(part) == true)
    }
}

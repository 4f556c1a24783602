import Testing

@testable import Ringcast

@Suite struct PrometheusTextTests {
    private func rendered(_ kind: MetricFamily.Kind, help: String = "What it is.", _ samples: [MetricFamily.Sample])
        -> [String]
    {
        PrometheusText.render([MetricFamily("a_b", kind, help, samples: samples)])
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test func `a metric is a line of help, one of its type, and one for each value`() {
        let samples: [MetricFamily.Sample] = [
            .init(.integer(3), labels: [.init("x", "1"), .init("y", "")]), .init(.number(0.25)),
        ]
        #expect(
            rendered(.counter, samples) == [
                "# HELP a_b What it is.", "# TYPE a_b counter", #"a_b{x="1",y=""} 3"#, "a_b 0.25", "",
            ])
    }

    @Test func `what would end a value or a line is written behind a backslash`() {
        let lines = rendered(
            .gauge, help: "a \\ \"b\"\nc", [.init(.integer(1), labels: [.init("x", "a\\b\"c\nd é")])])
        #expect(lines == [#"# HELP a_b a \\ "b"\nc"#, "# TYPE a_b gauge", #"a_b{x="a\\b\"c\nd é"} 1"#, ""])
    }

    @Test func `a histogram's buckets add up, and the last one has all`() {
        let histogram = MetricFamily.Histogram(bounds: [0.1, 1, 2.5], counts: [2, 0, 3, 4], sum: 12.5)
        #expect(
            rendered(.histogram, [.init(.histogram(histogram), labels: [.init("x", "1")])]).dropFirst(2) == [
                #"a_b_bucket{x="1",le="0.1"} 2"#, #"a_b_bucket{x="1",le="1"} 2"#, #"a_b_bucket{x="1",le="2.5"} 5"#,
                #"a_b_bucket{x="1",le="+Inf"} 9"#, #"a_b_sum{x="1"} 12.5"#, #"a_b_count{x="1"} 9"#, "",
            ])
        #expect(histogram.count == 9)
    }

    @Test(
        arguments: [
            (0.0, "0"), (-2.0, "-2"), (0.00001, "1e-05"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
            (1e300, "1e+300"), (123_456_789.5, "123456789.5"),
        ] as [(Double, String)])
    func `numbers are written as Go reads them`(_ number: Double, _ text: String) {
        #expect(PrometheusText.number(number) == text)
    }
}

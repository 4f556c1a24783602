import Benchmark
import WebSocketProtocol

/// Validates 4 KiB of text in several scripts.
func utf8Benchmarks() {
    let texts = [
        ("ascii", "The quick brown fox jumps over the lazy dog. "),
        ("german", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. "),
        ("greek", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. "),
        ("japanese", "いろはにほへと ちりぬるを わかよたれそ "),
        ("mixed", "quick 🦊 über 日本 βδ. "),
    ]
    for (name, text) in texts {
        Benchmark("utf8.\(name)") { benchmark in
            let bytes = Array(String(repeating: text, count: 4096 / text.utf8.count + 1).utf8)
            let span = bytes.span.bytes
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                var validator = UTF8Validator()
                blackHole(validator.consume(span) && validator.isComplete)
            }
            benchmark.stopMeasurement()
        }
    }
}

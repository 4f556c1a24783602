import FuzzSupport

@main struct ServerFuzzer {
    static func main() {
        fuzz([
            FuzzTarget("url", URLs.run),
            FuzzTarget("pem", PEMFiles.run),
            FuzzTarget("tool-files", ToolFiles.run),
            FuzzTarget("client-answers", ClientAnswers.run),
            FuzzTarget("engine-answers", EngineAnswers.run),
            FuzzTarget("connection", Connections.run),
        ])
    }
}

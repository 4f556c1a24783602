// Chat rooms, with what an application needs: `ADMIN_KEY=secret swift run rooms`, then http://127.0.0.1:3000 twice.
import FoundationEssentials
import Ringcast
import ServiceLifecycle
import UnixSignals

guard let adminKey = ProcessInfo.processInfo.environment["ADMIN_KEY"] else { fatalError("ADMIN_KEY is not set") }
let server = try Server(configuration: .rooms(), routes: makeRoutes(adminKey: adminKey))
print("rooms on http://127.0.0.1:\(server.port)")
// Upon a signal everybody is closed with 1001, behind what was said before.
try await ServiceGroup(services: [server], gracefulShutdownSignals: [.sigterm, .sigint]).run()

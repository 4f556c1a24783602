#if ServiceLifecycle
    public import ServiceLifecycle

    /// A `Service` with the package's trait `ServiceLifecycle`, which is on by default.
    extension Server: Service {}

    extension Server {
        /// Runs `body`, and stops the server when the task is cancelled or its service group shuts down.
        func stoppingWithTask(_ body: () async -> Void) async {
            await withTaskCancellationOrGracefulShutdownHandler {
                await body()
            } onCancelOrGracefulShutdown: {
                self.stop()
            }
        }
    }
#else
    extension Server {
        /// Runs `body`, and stops the server when the task is cancelled.
        func stoppingWithTask(_ body: () async -> Void) async {
            await withTaskCancellationHandler {
                await body()
            } onCancel: {
                self.stop()
            }
        }
    }
#endif

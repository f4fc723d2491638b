import KubeClient

/// Asks the kubelets of many nodes once.
enum ImageFileSystems {
    private static let atOnce = 16
    private static let mostWarnings = 5

    /// What they say, by node. What goes wrong is warned of.
    ///
    /// - Throws: `Failure` where nobody answers.
    static func read(
        _ nodes: [String], _ kubelets: KubeletClient
    ) async throws -> [String: ImageFileSystem] {
        var readings: [String: ImageFileSystem] = [:]
        var problems: [(node: String, error: KubeError)] = []
        var status = StatusLine()
        await withTaskGroup(of: (String, Result<ImageFileSystem, KubeError>).self) { group in
            var waiting = nodes[...]
            func start() {
                guard let node = waiting.popFirst() else { return }
                // Not in a closure: there typed throws come out wrong in Swift 6.3.
                group.addTask { (node, await kubelets.reading(of: node)) }
            }
            for _ in 0..<atOnce { start() }
            for await (node, result) in group {
                switch result {
                case .success(let reading): readings[node] = reading
                case .failure(let error): problems.append((node, error))
                }
                let done = readings.count + problems.count
                status.show(
                    "\(NumberText.grouped(done)) of \(NumberText.grouped(nodes.count)) kubelets …")
                start()
            }
        }
        status.clear()
        problems.sort { $0.node < $1.node }
        if readings.isEmpty, let first = problems.first {
            throw Failure("no kubelet answers: \(first.error.message)")
        }
        for (_, error) in problems.prefix(mostWarnings) { Talk.warn(error.message) }
        let others = problems.count - mostWarnings
        if others > 0 { Talk.warn("and \(others) more kubelets that do not answer") }
        return readings
    }
}

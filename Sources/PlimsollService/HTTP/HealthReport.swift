/// What a health endpoint says.
public struct HealthReport: Sendable, Hashable {
    /// One thing that is looked at.
    public struct Check: Sendable, Hashable {
        /// One word: "watch".
        public var name: String
        /// Why it is not well, in one line; nil when it is.
        public var objection: String?

        /// A check with its outcome.
        public init(name: String, objection: String?) {
            self.name = name
            self.objection = objection
        }
    }

    /// In the order they are shown.
    public var checks: [Check]

    /// A report of some checks.
    public init(checks: [Check]) { self.checks = checks }

    /// Whether all is well.
    public var isWell: Bool { checks.allSatisfy { $0.objection == nil } }

    /// The answer of an endpoint that reports are behind: 200 or 503, with `?verbose` a line for each check,
    /// and `/readyz/NAME` for one check alone; nil for another path.
    static func answer(
        _ request: HTTPRequest, at endpoint: String, _ report: @Sendable () -> HealthReport
    ) -> HTTPAnswer? {
        let path = request.path.split(separator: "/").map(String.init)
        guard path.first == endpoint, path.count <= 2 else { return nil }
        var report = report()
        if path.count == 2 {
            report.checks = report.checks.filter { $0.name == path[1] }
            if report.checks.isEmpty { return HTTPAnswer(404, "no check is named \(path[1])\n") }
        }
        let text = report.text(endpoint, isVerbose: request.query["verbose"] != nil)
        return HTTPAnswer(report.isWell ? 200 : 503, text)
    }

    /// As a kube-apiserver's own endpoints say it: "ok", or a line for each check and the verdict.
    func text(_ endpoint: String, isVerbose: Bool) -> String {
        if isWell, !isVerbose { return "ok\n" }
        let lines = checks.map { check in
            check.objection.map { "[-]\(check.name) failed: \($0)" } ?? "[+]\(check.name) ok"
        }
        return lines.joined(separator: "\n")
            + "\n\(endpoint) check \(isWell ? "passed" : "failed")\n"
    }
}

/// `/livez` and `/readyz`, for a kubelet's probes and for people.
public struct HealthRoutes: Sendable {
    /// Whether the process must be started anew.
    public var live: @Sendable () -> HealthReport
    /// Whether it can be relied on.
    public var ready: @Sendable () -> HealthReport

    /// Closures that are called for each request; they must not block.
    public init(
        live: @escaping @Sendable () -> HealthReport,
        ready: @escaping @Sendable () -> HealthReport
    ) {
        self.live = live
        self.ready = ready
    }

    /// What they serve.
    public static let paths = ["/livez", "/readyz"]

    /// The answer to a request; nil for another path.
    public func answer(_ request: HTTPRequest) -> HTTPAnswer? {
        HealthReport.answer(request, at: "livez", live)
            ?? HealthReport.answer(request, at: "readyz", ready)
    }
}

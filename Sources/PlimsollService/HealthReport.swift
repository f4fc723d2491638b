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

import KubeClient

/// Problems with a cluster, in words for people: what, and the way out.
enum ProblemText {
    /// Whether trying again before the first list makes no sense: nothing but the user can mend it.
    static func isHopeless(_ error: KubeError) -> Bool {
        if error.code == .refused { return [401, 403, 404].contains(error.httpStatus) }
        let codes: [KubeError.Code] = [
            .certificate, .credentials, .notKubernetes, .configuration, .file, .request,
        ]
        return codes.contains(error.code)
    }

    static func text(_ error: KubeError, _ configuration: KubeConfiguration) -> String {
        let server = configuration.server
        switch error.code {
        case .certificate:
            return "the certificate of \(server) is not trusted: \(error.message). Check "
                + "`certificate-authority` of the cluster in the kubeconfig"
        case .credentials:
            return "the credentials of context \(configuration.contextName) cannot be used: "
                + error.message
        case .notKubernetes:
            return "\(server) does not answer like a kube-apiserver: \(error.message). Check "
                + "`server` of the cluster in the kubeconfig, and proxies in between"
        case .resolve, .connect, .timeout, .tls: return "cannot reach \(server): \(error.message)"
        default: return error.message
        }
    }

    /// What is said when a watch goes on after it: what, and what next.
    static func line(
        _ text: String, _ error: KubeError, _ delay: Duration, _ version: String?
    ) -> String {
        let next =
            if let version, delay == .zero {
                "asking the server, then resuming at \(version)"
            } else if let version {
                "resuming at \(version) in \(NumberText.seconds(delay))"
            } else if delay == .zero {
                "listing again"
            } else {
                "trying again in \(NumberText.seconds(delay))"
            }
        let isBroken = error.code == .transport || error.code == .truncated
        return isBroken ? "connection lost (\(text)), \(next) …" : "\(text); \(next) …"
    }
}

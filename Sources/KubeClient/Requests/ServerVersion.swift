/// What the API server says it is.
public struct ServerVersion: Sendable, Hashable {
    /// "v1.36.2".
    public var gitVersion: String
    /// "linux/amd64".
    public var platform: String
}

extension KubeClient {
    /// Asks the server for its version. With most clusters anybody may.
    ///
    /// - Throws: As ``ResourceClient``; `notKubernetes` where the answer names no version.
    public func serverVersion() async throws(KubeError) -> ServerVersion {
        let answer = try await sender.send(
            KubeRequest(
                target: "/version", purpose: "get the server's version",
                permission: "verb get on /version"), with: self)
        let json = try JSONValue(parsing: answer)
        guard let version = json["gitVersion"]?.string else {
            throw KubeError(
                .notKubernetes, "cannot get the server's version: its answer names no gitVersion")
        }
        return ServerVersion(gitVersion: version, platform: json["platform"]?.string ?? "")
    }
}

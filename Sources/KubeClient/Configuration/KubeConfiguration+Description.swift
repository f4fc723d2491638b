extension KubeConfiguration: CustomStringConvertible {
    /// How we say who we are, without the secret itself: "client certificate", "exec plugin aws".
    public var authentication: String {
        var ways: [String] = []
        if certificate != nil { ways.append("client certificate") }
        if let tokenFile {
            ways.append("token of \(tokenFile)")
        } else if token != nil {
            ways.append("token")
        }
        if let exec { ways.append("exec plugin \(exec.command)") }
        var text = ways.isEmpty ? "no credential" : ways.joined(separator: " and ")
        if let user = impersonation.user { text += ", acting as \(user)" }
        return text
    }

    /// The proxy; "" for none. It may hold a password.
    package var proxy: String { proxyURL ?? "" }

    /// Whether any server certificate is accepted.
    public var isInsecure: Bool { skipsVerification }

    /// Context, server and way of authentication; no secrets.
    public var description: String {
        "context \(contextName), server \(server), \(authentication)"
    }
}

import FoundationEssentials

/// Writes kubeconfig files.
enum Kubeconfig {
    static func text(server: String, authority: String, token: String?, user: Identity?) -> String {
        var credentials = ""
        if let token { credentials += "    token: \(token)\n" }
        if let user {
            credentials += "    client-certificate-data: \(base64(user.certificate))\n"
            credentials += "    client-key-data: \(base64(user.key))\n"
        }
        return """
            apiVersion: v1
            kind: Config
            current-context: simulated
            clusters:
            - name: simulated
              cluster:
                server: \(server)
                certificate-authority-data: \(base64(authority))
            contexts:
            - name: simulated
              context:
                cluster: simulated
                user: simulated-admin
            users:
            - name: simulated-admin
              user:
            \(credentials)
            """
    }

    private static func base64(_ text: String) -> String {
        Data(text.utf8).base64EncodedString()
    }
}

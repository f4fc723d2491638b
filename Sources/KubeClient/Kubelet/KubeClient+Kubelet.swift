extension KubeClient {
    /// A client of a kubelet: our credentials, but no proxy, no impersonation, which kubelets do not
    /// know, and the kubelets' own authority.
    func kubelet(
        at server: String, _ trust: KubeletClient.Trust, timeout: Duration
    ) -> KubeClient {
        var configuration = configuration
        configuration.server = server
        configuration.tlsServerName = nil
        configuration.proxyURL = ""
        configuration.impersonation = Impersonation()
        if let path = trust.certificateAuthority { configuration.authority = .file(path) }
        configuration.skipsVerification = trust.skipsVerification
        if trust.skipsVerification { configuration.authority = nil }
        return KubeClient(of: self, configuration, timeout: timeout)
    }
}

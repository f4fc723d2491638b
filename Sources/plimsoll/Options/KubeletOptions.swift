import ArgumentParser
import KubeClient

/// Whether and how kubelets are asked.
struct KubeletOptions: ParsableArguments {
    @Flag(
        name: .customLong("image-fs"),
        help: "Ask kubelets what their images really take. Needs get on nodes/stats.")
    var imageFS = false

    @Option(
        help: ArgumentHelp(
            "Who signed the kubelets' certificates, if not the cluster's authority.",
            valueName: "file"),
        completion: .file())
    var kubeletCertificateAuthority: String?

    @Flag(
        name: .customLong("kubelet-insecure-skip-tls-verify"),
        help: "Accept any certificate of a kubelet. Whoever is in between gets our token.")
    var skipsVerification = false

    func validate() throws {
        if !imageFS, kubeletCertificateAuthority != nil || skipsVerification {
            throw ValidationError("The --kubelet-… options are for --image-fs.")
        }
        if skipsVerification, kubeletCertificateAuthority != nil {
            throw ValidationError("Give kubelets an authority or no verification, not both.")
        }
    }

    /// How kubelets are believed; nil where none is to be asked.
    var trust: KubeletClient.Trust? {
        guard imageFS else { return nil }
        var trust = KubeletClient.Trust()
        trust.certificateAuthority = kubeletCertificateAuthority
        trust.skipsVerification = skipsVerification
        return trust
    }

    /// Nil where no kubelet is to be asked.
    func kubelets(_ client: KubeClient) -> KubeletClient? {
        trust.map { KubeletClient(client, trust: $0) }
    }
}

internal import COpenSSL
import FoundationEssentials
import KubeClient

/// Signs messages the Standard Webhooks way
/// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
enum WebhookSignature {
    private static let prefix = "whsec_"

    /// The headers of a message.
    ///
    /// - Parameter secrets: "whsec_" and base64, 24 to 64 bytes; several while they are being replaced.
    /// - Throws: `credentials`.
    static func headers(
        id: String, time: Date, body: [UInt8], secrets: [String]
    ) throws(KubeError) -> [String] {
        let timestamp = Int(time.timeIntervalSince1970)
        var headers = ["webhook-id: \(id)", "webhook-timestamp: \(timestamp)"]
        if secrets.isEmpty { return headers }
        let message = Array("\(id).\(timestamp).".utf8) + body
        var signatures: [String] = []
        for secret in secrets {
            guard secret.hasPrefix(prefix),
                let key = Data(base64Encoded: String(secret.dropFirst(prefix.count))),
                (24...64).contains(key.count)
            else {
                throw KubeError(
                    .credentials,
                    "a webhook's secret must be \"\(prefix)\" and 24 to 64 bytes in base64")
            }
            signatures.append("v1," + Data(hmac(Array(key), message)).base64EncodedString())
        }
        headers.append("webhook-signature: " + signatures.joined(separator: " "))
        return headers
    }

    private static func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            HMAC(
                EVP_sha256(), key, Int32(key.count), message, message.count, buffer.baseAddress,
                &length)
            count = Int(length)
        }
    }
}

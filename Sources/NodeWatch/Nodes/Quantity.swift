/// Kubernetes quantities: "104845292Ki", "20G", "1e9", "500m"
/// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
package enum Quantity {
    /// Reads a quantity of bytes.
    ///
    /// A fraction of a byte is rounded up, as apimachinery's `Quantity.Value()` does.
    ///
    /// - Returns: Bytes, or nil for what is no quantity or does not fit in 64 bits.
    package static func bytes(_ text: UnsafeRawBufferPointer) -> Int? {
        var rest = text[...]
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            isNegative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        var digits: UInt64 = 0
        var decimals = 0
        var digitCount = 0
        var sawPoint = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(
                    UInt64(byte - UInt8(ascii: "0")))
                if overflow || carry { return nil }
                digits = sum
                digitCount += 1
                if sawPoint { decimals += 1 }
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        guard digitCount > 0, let suffix = Suffix(rest) else { return nil }
        guard let magnitude = scaled(digits, by: suffix, decimals: decimals) else { return nil }
        if isNegative { return Int(exactly: -Int128(magnitude)) }
        return Int(exactly: magnitude)
    }

    /// Reads a quantity of bytes.
    package static func bytes(_ text: String) -> Int? {
        var copy = text
        return copy.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    /// Multiplier and divisor of a suffix.
    private struct Suffix {
        var binaryShift = 0
        var decimalExponent = 0

        init?(_ bytes: Slice<UnsafeRawBufferPointer>) {
            let text = Array(bytes)
            switch text.count {
            case 0: return
            case 1:
                switch text[0] {
                case UInt8(ascii: "n"): decimalExponent = -9
                case UInt8(ascii: "u"): decimalExponent = -6
                case UInt8(ascii: "m"): decimalExponent = -3
                case UInt8(ascii: "k"): decimalExponent = 3
                case UInt8(ascii: "M"): decimalExponent = 6
                case UInt8(ascii: "G"): decimalExponent = 9
                case UInt8(ascii: "T"): decimalExponent = 12
                case UInt8(ascii: "P"): decimalExponent = 15
                case UInt8(ascii: "E"): decimalExponent = 18
                default: return nil
                }
            case 2 where text[1] == UInt8(ascii: "i"):
                switch text[0] {
                case UInt8(ascii: "K"): binaryShift = 10
                case UInt8(ascii: "M"): binaryShift = 20
                case UInt8(ascii: "G"): binaryShift = 30
                case UInt8(ascii: "T"): binaryShift = 40
                case UInt8(ascii: "P"): binaryShift = 50
                case UInt8(ascii: "E"): binaryShift = 60
                default: return nil
                }
            default:
                guard text[0] == UInt8(ascii: "e") || text[0] == UInt8(ascii: "E"),
                    let exponent = Int(String(decoding: text.dropFirst(), as: UTF8.self)),
                    (-30...30).contains(exponent)
                else { return nil }
                decimalExponent = exponent
            }
        }
    }

    private static func scaled(_ digits: UInt64, by suffix: Suffix, decimals: Int) -> UInt64? {
        if digits == 0 { return 0 }
        var value = UInt128(digits)
        var exponent = suffix.decimalExponent - decimals
        let (shifted, lost) = value.multipliedReportingOverflow(by: 1 << suffix.binaryShift)
        if lost { return nil }
        value = shifted
        while exponent > 0 {
            let (next, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = next
            exponent -= 1
        }
        var rounded = false
        while exponent < 0, value > 0 {
            if value % 10 != 0 { rounded = true }
            value /= 10
            exponent += 1
        }
        return UInt64(exactly: value + (rounded ? 1 : 0))
    }
}

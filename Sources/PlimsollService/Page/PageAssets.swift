/// Style and script, from the program itself.
enum PageAssets {
    static func answer(_ path: String) -> HTTPAnswer? {
        let (type, bytes): (String, [UInt8])
        switch path {
        case "/page/page.css":
            (type, bytes) = ("text/css; charset=utf-8", PackageResources.page_css)
        case "/page/page.js":
            (type, bytes) = ("text/javascript; charset=utf-8", PackageResources.page_js)
        case "/page/icon.svg": (type, bytes) = ("image/svg+xml", PackageResources.icon_svg)
        default: return nil
        }
        return HTTPAnswer(200, type, bytes: bytes)
    }
}

/// As much of the OpenAPI documents as kubectl asks for.
enum OpenAPI {
    static func answer(_ request: APIRequest) -> APIResponse? { nil }
}

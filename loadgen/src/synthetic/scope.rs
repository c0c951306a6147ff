//! The instrumentation scopes of synthetic spans.

/// The scopes that spans of a trace come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The HTTP server.
    HttpServer,
    /// The application itself.
    Application,
    /// What instruments the calls of models.
    GenAi,
    /// What instruments HTTP requests.
    HttpClient,
}

impl Scope {
    pub(super) const ALL: [Scope; 4] =
        [Scope::HttpServer, Scope::Application, Scope::GenAi, Scope::HttpClient];

    /// Its name, which says that nobody was instrumented.
    pub(super) fn name(self) -> &'static str {
        match self {
            Scope::HttpServer => "spanproof.synthetic.http_server",
            Scope::Application => "spanproof.synthetic.application",
            Scope::GenAi => "spanproof.synthetic.gen_ai",
            Scope::HttpClient => "spanproof.synthetic.http_client",
        }
    }
}

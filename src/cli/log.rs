//! The log: for people on a terminal, JSON otherwise; data goes to stdout, the log and all else to stderr.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Form {
    /// From `--log-format`; without it, JSON unless stderr is a terminal.
    #[must_use]
    pub fn choose(asked: Option<&str>) -> Self {
        match asked {
            Some("json") => Self::Json,
            Some(_) => Self::Human,
            None if std::io::stderr().is_terminal() => Self::Human,
            None => Self::Json,
        }
    }
}

/// Starts the log. `quiet` commands show warnings only, unless `CITYDESK_LOG` says otherwise.
pub fn start(form: Form, quiet: bool) {
    let usual = if quiet { "warn" } else { "info" };
    // Libraries below `warn` tell of every connection; nobody on call wants that.
    let filter = std::env::var("CITYDESK_LOG").unwrap_or_else(|_| format!("warn,citydesk={usual}"));
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|error| {
        eprintln!("warning: CITYDESK_LOG cannot be read ({error}); using \"{usual}\"");
        EnvFilter::new(usual)
    });
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start (tests) keeps the first.
    let _ = match form {
        Form::Human => log.with_ansi(colour).with_target(false).try_init(),
        Form::Json => log.json().flatten_event(true).with_ansi(false).try_init(),
    };
}

//! What can go wrong with a request, each in a sentence that says what to do next. No sentence holds a secret.

use std::net::IpAddr;

/// The part of a request that took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Looking up the name.
    Dns,
    /// Connecting to the address.
    Connect,
    /// Agreeing on encryption.
    Tls,
    /// Waiting for the head of the answer.
    FirstByte,
    /// The whole of it: the source's `timeout`.
    Whole,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Dns => "looking up the name",
            Self::Connect => "connecting",
            Self::Tls => "agreeing on encryption",
            Self::FirstByte => "waiting for the first byte",
            Self::Whole => "the whole request",
        })
    }
}

/// Why there is no answer. A bad status is an answer, not an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address cannot be used.
    #[error("the address {address} cannot be used: {why}")]
    Address {
        /// As written, secrets by name.
        address: String,
        /// What is wrong with it, and what to write.
        why: String,
    },
    /// A secret that the request needs is not there.
    #[error("the secret {name} is not there: {why}")]
    Secret {
        /// Its name.
        name: String,
        /// What to do.
        why: String,
    },
    /// A port that neither is the web's nor stands in the source's own address.
    #[error(
        "port {port} of {host} is refused: a redirect may lead to ports 80 and 443 only; if that is right, write the new \
         address into feeds.toml"
    )]
    Port {
        /// Where it led.
        host: String,
        /// The port.
        port: u16,
    },
    /// The name cannot be looked up.
    #[error("the name {host} cannot be looked up: {why}; check its spelling and this machine's DNS")]
    Dns {
        /// The name.
        host: String,
        /// What the system said.
        why: String,
    },
    /// All addresses of the host are refused by the address rule.
    #[error(
        "{host} is at {address}, which is {what}, not public; if you trust it, add \"{address}/{prefix}\" to [fetch] \
         allow_private"
    )]
    Refused {
        /// The host.
        host: String,
        /// Its (first) address.
        address: IpAddr,
        /// 32 or 128.
        prefix: u8,
        /// What that address is.
        what: &'static str,
    },
    /// Nobody listens, or nobody can be reached.
    #[error("cannot connect to {host}: {why}; is the site up?")]
    Connect {
        /// The host.
        host: String,
        /// What the system said.
        why: String,
    },
    /// No agreement on encryption: certificate, version, name.
    #[error(
        "no secure connection to {host}: {why}; it is not asked without one. If it has its own certificate authority, name \
         that with `ca`"
    )]
    Tls {
        /// The host.
        host: String,
        /// What TLS said.
        why: String,
    },
    /// The proxy did not do its job.
    #[error("the proxy {proxy} did not connect us to {host}: {why}; check `proxy`")]
    Proxy {
        /// The proxy, without credentials.
        proxy: String,
        /// Where we wanted to go.
        host: String,
        /// What happened.
        why: String,
    },
    /// Too slow.
    #[error("{host} took longer than {seconds} s for {phase}; raise `timeout` if it is merely slow")]
    Timeout {
        /// The host.
        host: String,
        /// Which part.
        phase: Phase,
        /// The limit, in seconds.
        seconds: u64,
    },
    /// It sends, but hardly.
    #[error(
        "{host} sends its answer at less than {least} bytes a second for {seconds} s and was given up; it is asked again later"
    )]
    Slow {
        /// The host.
        host: String,
        /// The least that is waited for, in bytes a second.
        least: u64,
        /// How long it was watched, in seconds.
        seconds: u64,
    },
    /// The connection ended before the answer did.
    #[error("{host} broke off in the middle of its answer: {why}; it is asked again later")]
    Cut {
        /// The host.
        host: String,
        /// What happened.
        why: String,
    },
    /// What came is not HTTP, or not whole HTTP.
    #[error("{host} does not speak HTTP as we know it: {why}; is the port right?")]
    Protocol {
        /// The host.
        host: String,
        /// What was wrong.
        why: String,
    },
    /// Head of the answer beyond the caps.
    #[error("the head of the answer of {host} is larger than {most} bytes or has more than {count} lines: refused")]
    Head {
        /// The host.
        host: String,
        /// Bytes.
        most: usize,
        /// Lines.
        count: usize,
    },
    /// Interim answers (1xx) without end.
    #[error(
        "{host} sends more than {most} interim answers (1xx) before its answer: refused; its server is out of order"
    )]
    Interim {
        /// The host.
        host: String,
        /// The cap.
        most: usize,
    },
    /// Bytes that belong to no answer, without end.
    #[error("{host} sends more than {most} bytes without coming to an answer: refused; its server is out of order")]
    Flood {
        /// The host.
        host: String,
        /// The cap.
        most: u64,
    },
    /// Body beyond the cap.
    #[error("the answer of {host} is larger than {most} bytes; raise [fetch] body_max if it is right")]
    TooLarge {
        /// The host.
        host: String,
        /// The cap.
        most: u64,
    },
    /// A body that unpacks to absurd size.
    #[error("the answer of {host} unpacks to more than {ratio} times its size: refused as a decompression bomb")]
    Bomb {
        /// The host.
        host: String,
        /// The cap.
        ratio: u64,
    },
    /// A content encoding that we do not read, or several of them.
    #[error("{host} packs its answer as \"{encoding}\", which we did not ask for and do not read")]
    Encoding {
        /// The host.
        host: String,
        /// As sent.
        encoding: String,
    },
    /// A packed body that does not unpack.
    #[error("the answer of {host} does not unpack ({why}); it is asked again later")]
    Unpack {
        /// The host.
        host: String,
        /// What the decoder said.
        why: String,
    },
    /// A redirect that comes back to where it was.
    #[error("{at} redirects in a circle; open it in a browser and write the address that it settles on")]
    Loop {
        /// Where the circle closed.
        at: String,
    },
    /// Too many redirects.
    #[error(
        "more than {most} redirects, the last to {at}; open it in a browser and write the address that it settles on"
    )]
    Redirects {
        /// The cap.
        most: usize,
        /// Where it gave up.
        at: String,
    },
    /// What robots.txt forbids (RFC 9309).
    #[error(
        "the robots.txt of {host} forbids {path} to citydesk: {rule}; ask the site for leave, or look for a feed of it"
    )]
    Forbidden {
        /// The host.
        host: String,
        /// Path and query that we may not ask for.
        path: String,
        /// The rule: its line, and what stands there.
        rule: String,
    },
    /// robots.txt cannot be had, so that nothing may be asked for (RFC 9309 section 2.3.1.4).
    #[error(
        "whether {host} may be read is not known, and so it is not: {why}; if its robots.txt cannot be had for {days} days, \
         the site is read without one"
    )]
    Rules {
        /// The host.
        host: String,
        /// What is wrong with its robots.txt.
        why: String,
        /// How long it takes until its absence counts as leave.
        days: i64,
    },
    /// A redirect without a usable target.
    #[error("{at} answers {status} without saying where to go: {why}")]
    Nowhere {
        /// Who redirects.
        at: String,
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// What is wrong with `Location`.
        why: String,
    },
}

impl FetchError {
    /// A short word for metrics and for telling failures apart.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Address { .. } => "address",
            Self::Secret { .. } => "secret",
            Self::Port { .. } => "port",
            Self::Dns { .. } => "dns",
            Self::Refused { .. } => "refused",
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::Proxy { .. } => "proxy",
            Self::Timeout { .. } => "timeout",
            Self::Slow { .. } => "slow",
            Self::Cut { .. } => "cut",
            Self::Protocol { .. } => "protocol",
            Self::Head { .. } => "head",
            Self::Interim { .. } => "interim",
            Self::Flood { .. } => "flood",
            Self::TooLarge { .. } => "large",
            Self::Bomb { .. } => "bomb",
            Self::Encoding { .. } => "encoding",
            Self::Unpack { .. } => "unpack",
            Self::Loop { .. } => "loop",
            Self::Redirects { .. } => "redirects",
            Self::Forbidden { .. } | Self::Rules { .. } => "robots",
            Self::Nowhere { .. } => "nowhere",
        }
    }
}

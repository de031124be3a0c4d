//! The real daemon in a folder of its own: started, asked, stopped and killed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_citydesk");
/// Longest wait for anything: generous, since the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(50);

/// An answer of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Vec<u8>,
}

/// A folder with a feeds.toml, and where its daemon listens.
#[derive(Debug)]
pub struct Desk {
    folder: tempfile::TempDir,
    address: SocketAddr,
}

/// A running daemon. Killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

#[allow(dead_code, reason = "a box of tools: not every test takes each")]
impl Desk {
    /// A new folder. `feeds` follows the tables `[server]`, `[store]` and `[fetch]`.
    pub fn new(feeds: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A free port: bound, and given back. It must stay the same when the daemon comes back.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let desk = Self { folder, address };
        desk.config(feeds);
        desk
    }

    /// Writes feeds.toml anew.
    pub fn config(&self, feeds: &str) {
        let toml = format!(
            "[site]\npublic_url = \"http://{0}\"\n[server]\nlisten = \"{0}\"\n[store]\npath = \"data\"\n\
             [fetch]\nallow_private = [\"127.0.0.0/8\"]\nper_host = 16\n{feeds}",
            self.address
        );
        std::fs::write(self.folder.path().join("feeds.toml"), toml).unwrap();
    }

    /// The folder with feeds.toml.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its daemon listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The store's folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(self.folder.path().join("feeds.toml")).args(arguments);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).env_remove("CITYDESK_FAILPOINT");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts the daemon, to die at the failpoint if one is named.
    pub fn start(&self, failpoint: Option<&str>) -> Daemon {
        let log = self.folder.path().join("daemon.log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut command = self.command(&["serve"]);
        command.stdout(Stdio::null()).stderr(file);
        if let Some(failpoint) = failpoint {
            command.env("CITYDESK_FAILPOINT", failpoint);
        }
        Daemon { child: command.spawn().unwrap(), address: self.address, log }
    }

    /// Starts the daemon and waits until it is ready.
    pub fn serve(&self) -> Daemon {
        let mut daemon = self.start(None);
        daemon.wait_ready();
        daemon
    }
}

#[allow(dead_code, reason = "a box of tools: not every test takes each")]
impl Daemon {
    /// Asks for a path; `None` if no whole answer came.
    pub fn try_get(&self, path: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        get(self.address, path, headers).ok().flatten()
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path, &[]).unwrap_or_else(|| panic!("no answer for {path}\n{}", self.tail()))
    }

    /// Waits until `/readyz` says yes.
    pub fn wait_ready(&mut self) {
        self.until("it is ready", |daemon| daemon.try_get("/readyz", &[]).is_some_and(|it| it.status == 200));
    }

    /// Waits until something holds.
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            if let Some(status) = self.ended() {
                panic!("the daemon ended ({status}) before {what}\n{}", self.tail());
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}\n{}", self.tail());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended and how long that took.
    pub fn stop(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        self.signal("TERM");
        loop {
            if let Some(status) = self.ended() {
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < PATIENCE, "SIGTERM did not end it\n{}", self.tail());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The end of its log, for messages.
    pub fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request on a connection of its own; `None` if the answer is not whole.
fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> std::io::Result<Option<Answer>> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(read(&bytes))
}

fn read(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &bytes[end + 4..];
    let body = if headers.get("transfer-encoding").is_some_and(|it| it == "chunked") {
        unchunked(body)?
    } else {
        let due = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0_usize);
        (body.len() == due).then(|| body.to_vec())?
    };
    Some(Answer { status, headers, body })
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|w| w == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?.split(';').next()?, 16).ok()?;
        rest = rest.get(line + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

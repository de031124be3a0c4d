//! The socket by which commands ask a running daemon: `{store.path}/control.sock`, HTTP/1.1 by the same hyper.
//!
//! A command never opens a store that a daemon holds. It asks here; only when nobody listens and the lock on the folder
//! is free does it open the store itself. The socket's mode is 0600: who may read the store may ask.
//!
//! The path of a Unix socket has at most 107 bytes. A longer one is reached through `/proc/self/fd/N`, N being the open
//! folder.

use std::convert::Infallible;
use std::future::Future;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body, Frame, Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;

/// File name of the socket inside the store's folder.
pub const SOCKET: &str = "control.sock";

/// Longest path the kernel takes for a Unix socket, in bytes (`sun_path` has 108, one for the end).
const PATH: usize = 107;

/// How long a command waits for a daemon to take the connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a daemon could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens: no daemon runs on this folder.
    #[error("no citydesk runs on {0}")]
    Nobody(PathBuf),
    /// Somebody may listen, but this user may not ask.
    #[error("a citydesk may run on {0}, but its control socket is closed to this user: ask as the user it runs as")]
    Denied(PathBuf),
    /// The one who asked could not take the answer.
    #[error("the answer cannot be written: {0}")]
    Taken(std::io::Error),
    /// The daemon did not answer as it should.
    #[error("the citydesk on {path} does not answer: {reason}")]
    Silent {
        /// The folder.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
}

/// A body whose pieces come from a channel, so that a long export is never whole in memory. An error breaks the connection:
/// what came before it does not look whole.
#[derive(Debug)]
pub struct Pieces(mpsc::Receiver<std::io::Result<Bytes>>);

impl Pieces {
    /// A body and where to put its pieces. At most eight wait.
    #[must_use]
    pub fn channel() -> (mpsc::Sender<std::io::Result<Bytes>>, Self) {
        let (sender, receiver) = mpsc::channel(8);
        (sender, Self(receiver))
    }

    /// A body of one piece.
    #[must_use]
    pub fn one(text: impl Into<Bytes>) -> Self {
        let (sender, body) = Self::channel();
        // The channel is new and has room.
        let _ = sender.try_send(Ok(text.into()));
        body
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// Asked of a daemon: method and target (`/stats?x=y`).
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET` reads, `POST` changes something.
    pub method: Method,
    /// Path.
    pub path: String,
    /// What stands behind the question mark.
    pub query: String,
}

/// What answers.
pub type Answer = Pin<Box<dyn Future<Output = (StatusCode, Pieces)> + Send>>;

/// Where the socket is reached: its path, or a shorter way to the same file through the open folder.
fn reach(folder: &Path) -> std::io::Result<(PathBuf, Option<std::fs::File>)> {
    let path = folder.join(SOCKET);
    if path.as_os_str().len() <= PATH {
        return Ok((path, None));
    }
    let open = std::fs::File::open(folder)?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", open.as_raw_fd())), Some(open)))
}

/// Listens in a store's folder until dropped. The caller holds the folder's lock, so an old socket is a dead one.
///
/// # Errors
/// If the socket cannot be made.
pub fn listen(
    folder: &Path,
    answer: impl Fn(Asked) -> Answer + Send + Sync + 'static,
) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let (path, _open) = reach(folder)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let answer = Arc::new(answer);
    Ok(tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                    let asked = Asked {
                        method: request.method().clone(),
                        path: request.uri().path().to_owned(),
                        query: request.uri().query().unwrap_or_default().to_owned(),
                    };
                    let answer = answer(asked);
                    async move {
                        let (status, body) = answer.await;
                        let mut response = Response::new(body);
                        *response.status_mut() = status;
                        Ok::<_, Infallible>(response)
                    }
                });
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a command went away before it had its answer");
                }
            });
        }
    }))
}

/// Asks the daemon of a folder; the pieces of its answer go to `take` as they come. Returns the status.
///
/// # Errors
/// [`ControlError::Nobody`] if none runs there: the caller may open the folder itself.
pub async fn ask(
    folder: &Path,
    method: Method,
    target: &str,
    mut take: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<StatusCode, ControlError> {
    let silent = |reason: String| ControlError::Silent { path: folder.to_owned(), reason };
    let (path, _open) = match reach(folder) {
        Ok(reach) => reach,
        Err(error) => return Err(missing(folder, &error)),
    };
    let connected = tokio::time::timeout(PATIENCE, UnixStream::connect(&path)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(missing(folder, &error)),
        Err(_) => return Err(silent("it does not take the connection".to_owned())),
    };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| silent(error.to_string()))?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(http::header::HOST, "citydesk")
        .body(Empty::<Bytes>::new())
        .map_err(|error| silent(error.to_string()))?;
    let mut response = sender.send_request(request).await.map_err(|error| silent(error.to_string()))?;
    while let Some(frame) = response.body_mut().frame().await {
        let frame = frame.map_err(|error| silent(error.to_string()))?;
        if let Some(data) = frame.data_ref() {
            take(data).map_err(ControlError::Taken)?;
        }
    }
    Ok(response.status())
}

/// Asks `/readyz` of a daemon's public address (`host:port`).
///
/// # Errors
/// What it answers instead of yes, or why it does not answer.
pub async fn ready(address: &str) -> Result<(), String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let request = Request::get("/readyz").header(http::header::HOST, address).body(Empty::<Bytes>::new());
    let request = request.map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    if response.status().is_success() { Ok(()) } else { Err(format!("answers {}", response.status())) }
}

fn missing(folder: &Path, error: &std::io::Error) -> ControlError {
    use std::io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
    match error.kind() {
        NotFound | ConnectionRefused => ControlError::Nobody(folder.to_owned()),
        PermissionDenied => ControlError::Denied(folder.to_owned()),
        _ => ControlError::Silent { path: folder.to_owned(), reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_fails_in_the_middle_does_not_look_whole() {
        let folder = tempfile::tempdir().unwrap();
        let task = listen(folder.path(), |asked| {
            Box::pin(async move {
                let (sender, body) = Pieces::channel();
                sender.send(Ok("a story\n".into())).await.unwrap();
                if asked.path == "/broken" {
                    sender.send(Err(std::io::Error::other("the store"))).await.unwrap();
                }
                (StatusCode::OK, body)
            })
        })
        .unwrap();
        for (target, whole) in [("/whole", true), ("/broken", false)] {
            let told = ask(folder.path(), Method::GET, target, |_| Ok(())).await;
            assert_eq!(told.is_ok(), whole, "{target}: {told:?}");
        }
        task.abort();
    }

    #[tokio::test]
    async fn a_deep_folder_is_reached_although_its_path_is_too_long_for_a_socket() {
        let root = tempfile::tempdir().unwrap();
        for folder in [root.path().to_owned(), root.path().join("很深的文件夹".repeat(12))] {
            std::fs::create_dir_all(&folder).unwrap();
            let nobody = ask(&folder, Method::GET, "/hello", |_| Ok(())).await;
            assert!(matches!(nobody, Err(ControlError::Nobody(_))), "{nobody:?}");
            let task = listen(&folder, |asked| {
                Box::pin(async move { (StatusCode::OK, Pieces::one(format!("{} {}", asked.path, asked.query))) })
            })
            .unwrap();
            let mut said = Vec::new();
            let status = ask(&folder, Method::GET, "/hello?x=1", |piece| {
                said.extend_from_slice(piece);
                Ok(())
            });
            assert_eq!(status.await.unwrap(), StatusCode::OK);
            assert_eq!(said, b"/hello x=1");
            let mode = std::fs::metadata(folder.join(SOCKET)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            task.abort();
        }
    }
}

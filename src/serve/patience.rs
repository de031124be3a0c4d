//! A socket with limited patience: for a client that never says what it wants, and for one that doesn't read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::seat::Seat;

/// A TCP stream that gives up. hyper bounds the time of a request head only once it knows which version of HTTP is
/// spoken; a client that sends nothing, or stops inside the HTTP/2 preface, is never cut by it. Nor does it bound how
/// long a client may take over an answer.
pub struct Patience {
    stream: TcpStream,
    /// Knows of the first request, and is told of waiting to write.
    seat: Arc<Seat>,
    /// Ends when the first request should have been there.
    opening: Option<Pin<Box<Sleep>>>,
    /// How long no byte of an answer may be taken.
    stall: Duration,
    /// Runs while the client takes none.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// Wraps a stream: `opening` until the first request has begun, `stall` for a client that takes nothing.
    pub fn new(stream: TcpStream, opening: Duration, stall: Duration, seat: Arc<Seat>) -> Self {
        Self { stream, seat, opening: Some(Box::pin(sleep(opening))), stall, stalled: None }
    }

    /// Watches over one attempt to write: progress stops the watch, waiting starts it.
    fn watched(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            if self.stalled.take().is_some() {
                self.seat.writes(false);
            }
            return written;
        }
        if self.stalled.is_none() {
            self.seat.writes(true);
        }
        let stall = self.stall;
        let watch = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
        ready!(watch.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl AsyncRead for Patience {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.opening.is_none() {
            return read;
        }
        if self.seat.has_asked() {
            self.opening = None;
            return read;
        }
        let late = self.opening.as_mut().is_some_and(|opening| opening.as_mut().poll(cx).is_ready());
        if late { Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no request came"))) } else { read }
    }
}

impl AsyncWrite for Patience {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A head alone, as of a 304: the plainer call costs the kernel less.
        let written = match slices {
            [one] => Pin::new(&mut self.stream).poll_write(cx, one),
            several => Pin::new(&mut self.stream).poll_write_vectored(cx, several),
        };
        self.watched(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::super::seat::Seats;
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn pair(opening: u64, stall: u64) -> (TcpStream, Patience, Arc<Seat>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let seat = Seats::default().take();
        let patience =
            Patience::new(stream, Duration::from_millis(opening), Duration::from_millis(stall), Arc::clone(&seat));
        (client, patience, seat)
    }

    #[tokio::test]
    async fn a_silent_client_is_cut() {
        let (_client, mut patience, _seat) = pair(50, 10_000).await;
        let error = patience.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_client_that_asked_is_not() {
        let (mut client, mut patience, seat) = pair(50, 10_000).await;
        drop(seat.ask(false));
        client.write_u8(b'a').await.unwrap();
        assert_eq!(patience.read_u8().await.unwrap(), b'a');
        let more = tokio::time::timeout(Duration::from_millis(150), patience.read_u8()).await;
        assert!(more.is_err(), "still waiting");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_cut() {
        let (_client, mut patience, _seat) = pair(10_000, 50).await;
        let block = vec![0; 1 << 20];
        let mut written = Ok(());
        for _ in 0..64 {
            written = patience.write_all(&block).await;
            if written.is_err() {
                break;
            }
        }
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}

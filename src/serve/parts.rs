//! A body in parts: what a stream of HTTP/2 has not been allowed to send yet is seen, and is not kept twice.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

use super::seat::Asking;

/// Bytes of a part: a frame of HTTP/2, as large as a client takes that says nothing of it (RFC 9113 section 6.5.2).
const PART: usize = 16 * 1024;

/// A body that stands whole in memory. With a request that it answers it is taken in parts, each of which shows that the
/// client reads on; without one it is taken as it is.
#[derive(Debug)]
pub struct Parts {
    whole: Full<Bytes>,
    /// What is left to be taken in parts.
    left: Bytes,
    /// The request, which goes on until the last part is taken.
    asking: Option<Asking>,
}

impl Parts {
    /// Of a whole body.
    pub fn new(whole: Full<Bytes>, asking: Option<Asking>) -> Self {
        Self { whole, left: Bytes::new(), asking }
    }
}

impl Body for Parts {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(asking) = &self.asking else { return Pin::new(&mut self.whole).poll_frame(cx) };
        asking.moves();
        if self.left.is_empty()
            && let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut self.whole).poll_frame(cx)
            && let Ok(data) = frame.into_data()
        {
            self.left = data;
        }
        let part = self.left.len().min(PART);
        let part = self.left.split_to(part);
        if self.is_end_stream() {
            self.asking = None;
        }
        Poll::Ready((!part.is_empty()).then(|| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.whole.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.left.len() {
            0 => self.whole.size_hint(),
            left => SizeHint::with_exact(left as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::seat::Seats;
    use super::*;
    use std::time::Duration;

    fn take(body: &mut Parts) -> Option<usize> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match Pin::new(body).poll_frame(&mut cx) {
            Poll::Ready(frame) => frame.map(|frame| frame.unwrap().into_data().unwrap().len()),
            Poll::Pending => panic!("all of it is there"),
        }
    }

    #[tokio::test]
    async fn a_body_is_taken_in_parts_and_whoever_takes_none_is_noticed() {
        let second = Duration::from_secs(1);
        let seat = Seats::default().take();
        let whole = || Full::new(Bytes::from(vec![7; PART * 2 + 5]));
        let mut body = Parts::new(whole(), Some(seat.ask(true)));
        assert_eq!(body.size_hint().exact(), Some(PART as u64 * 2 + 5));
        assert_eq!([take(&mut body), take(&mut body)], [Some(PART), Some(PART)]);
        assert_eq!(body.size_hint().exact(), Some(5));
        let why = tokio::time::timeout(second * 5, seat.kept(second * 60, second * 60, second / 20)).await;
        assert!(why.is_ok_and(|why| why.contains("does not read")));
        assert_eq!([take(&mut body), take(&mut body)], [Some(5), None]);
        let mut body = Parts::new(whole(), None);
        assert_eq!([take(&mut body), take(&mut body)], [Some(PART * 2 + 5), None]);
        let mut empty = Parts::new(Full::default(), Some(seat.ask(true)));
        assert_eq!(take(&mut empty), None);
    }
}

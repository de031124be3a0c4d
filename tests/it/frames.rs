//! A server of single bytes and frames: breaks HTTP/2 (RFC 9113) and TLS in ways that no library would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::origin::encryption;

/// What it does to whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trick {
    /// Accepts the connection and says nothing.
    Silence,
    /// Closes while encryption is being agreed on.
    Hangup,
    /// Answers the beginning of TLS in plain text.
    PlainText,
    /// Agrees on everything, and never answers.
    Stall,
    /// Gives no room for what is posted.
    NoWindow,
    /// Endless pings.
    Pings,
    /// Endless settings.
    Settings,
    /// Resets the stream over and over.
    Resets,
    /// A head in pieces without end.
    Continuations,
    /// A head that is small when packed: one long line, referred to thousands of times.
    Hpack,
    /// A head of one line of megabytes.
    HugeHead,
    /// Interim answers without end.
    Interim,
    /// A body of empty pieces without end.
    EmptyData,
    /// A body without end, whatever room there is.
    Overflow,
    /// Pushes what nobody asked for.
    Promises,
    /// Says goodbye instead of an answer.
    Goaway,
    /// Sends what is no frame.
    Garbage,
}

/// The server. It stops when dropped.
#[derive(Debug)]
pub struct Frames {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Frames {
    /// Listens on a free port of 127.0.0.1, by the certificate in `tests/it/tls`.
    pub fn start(trick: Trick) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let mut config = encryption(include_bytes!("tls/certificate.pem"));
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (config, stopping) = (Arc::new(config), Arc::clone(&stop));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    break;
                }
                let (config, stopping) = (Arc::clone(&config), Arc::clone(&stopping));
                // A client that goes away in the middle is what is wanted.
                thread::spawn(move || answer(stream?, config, trick, &stopping));
            }
        });
        Self { address, stop }
    }

    /// The absolute address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

type Line = StreamOwned<ServerConnection, TcpStream>;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// `:status: 200` (RFC 7541 appendix A).
const OK: &[u8] = &[0x88];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A literal field, not to be indexed or to be (RFC 7541 sections 6.2.1 and 6.2.2).
fn field(indexed: bool, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![if indexed { 0x40 } else { 0 }];
    for text in [name, value] {
        // RFC 7541 section 5.1.
        if text.len() < 127 {
            bytes.push(text.len() as u8);
        } else {
            bytes.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                bytes.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            bytes.push(rest as u8);
        }
        bytes.extend_from_slice(text);
    }
    bytes
}

fn answer(mut stream: TcpStream, config: Arc<ServerConfig>, trick: Trick, stop: &AtomicBool) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    match trick {
        Trick::Silence => {
            wait(stop);
            return Ok(());
        }
        Trick::Hangup => {
            let mut hello = [0; 64];
            return stream.read(&mut hello).map(|_| ());
        }
        Trick::PlainText => {
            return stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
        _ => {}
    }
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut line = StreamOwned::new(connection, stream);
    let settings = if trick == Trick::NoWindow { vec![0, 4, 0, 0, 0, 0] } else { Vec::new() };
    let stream = asked(&mut line, &settings)?;
    let head = |block: &[u8]| frame(HEADERS, END_HEADERS, stream, block);
    let flood = |line: &mut Line, piece: &[u8]| -> std::io::Result<()> {
        let pieces = piece.repeat((16 << 10) / piece.len() + 1);
        while !stop.load(Ordering::SeqCst) {
            line.write_all(&pieces)?;
        }
        Ok(())
    };
    match trick {
        Trick::Pings => flood(&mut line, &frame(PING, 0, 0, b"whatever")),
        Trick::Settings => flood(&mut line, &frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])),
        Trick::Resets => flood(&mut line, &frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])),
        Trick::Continuations => {
            line.write_all(&frame(HEADERS, 0, stream, OK))?;
            flood(&mut line, &frame(CONTINUATION, 0, stream, &field(false, b"x-more", b"and more")))
        }
        Trick::Hpack => {
            let mut block = OK.to_vec();
            block.extend(field(true, b"x-long", &[b'x'; 3_900]));
            block.extend([0xbe].repeat(12_000));
            line.write_all(&head(&block))?;
            flood(&mut line, &frame(DATA, 0, stream, b"x"))
        }
        Trick::HugeHead => {
            let block = field(false, b"x-long", &vec![b'x'; 8 << 20]);
            line.write_all(&frame(HEADERS, 0, stream, OK))?;
            for piece in block.chunks(16_000) {
                line.write_all(&frame(CONTINUATION, 0, stream, piece))?;
            }
            line.write_all(&frame(CONTINUATION, END_HEADERS, stream, b""))?;
            wait(stop);
            Ok(())
        }
        // `:status` is line 8 of the static table.
        Trick::Interim => flood(&mut line, &head(&[0x08, 3, b'1', b'0', b'3'])),
        Trick::EmptyData => {
            line.write_all(&head(OK))?;
            flood(&mut line, &frame(DATA, 0, stream, b""))
        }
        Trick::Overflow => {
            line.write_all(&head(OK))?;
            flood(&mut line, &frame(DATA, 0, stream, &[b'x'; 16_000]))
        }
        Trick::Promises => flood(&mut line, &frame(PUSH_PROMISE, END_HEADERS, stream, &[0, 0, 0, 2, 0x82])),
        Trick::Goaway => line.write_all(&frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 1])),
        Trick::Garbage => flood(&mut line, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        Trick::Stall | Trick::NoWindow | Trick::Silence | Trick::Hangup | Trick::PlainText => {
            // Reads on, so that the client is not told anything by a full socket.
            let _ = line.sock.set_read_timeout(Some(Duration::from_millis(100)));
            let mut bytes = [0; 1024];
            while !stop.load(Ordering::SeqCst) {
                match line.read(&mut bytes) {
                    Ok(0) => return Ok(()),
                    Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Err(error),
                    _ => {}
                }
            }
            Ok(())
        }
    }
}

/// Reads the preface and frames until a request is there; its stream.
fn asked(line: &mut Line, settings: &[u8]) -> std::io::Result<u32> {
    let mut preface = [0; 24];
    line.read_exact(&mut preface)?;
    line.write_all(&frame(SETTINGS, 0, 0, settings))?;
    loop {
        let mut head = [0; 9];
        line.read_exact(&mut head)?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        line.read_exact(&mut payload)?;
        match head[3] {
            HEADERS => return Ok(u32::from_be_bytes([head[5], head[6], head[7], head[8]])),
            SETTINGS if head[4] == 0 => line.write_all(&frame(SETTINGS, 1, 0, b""))?,
            _ => {}
        }
    }
}

fn wait(stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(20));
    }
}

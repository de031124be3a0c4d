//! Proxies that the operator names: HTTP (RFC 9110 section 9.3.6) and SOCKS 5 (RFC 1928, RFC 1929).
//!
//! The proxy itself may be anywhere, since the operator chose it. It looks up names for us, so only literal addresses
//! can be judged by the guard; what a name leads to is the proxy's to decide.

use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use super::base64;
use super::error::FetchError;

/// Longest head of a proxy's answer to CONNECT, in bytes.
const HEAD: usize = 8 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Http,
    Socks,
}

/// A proxy.
#[derive(Debug)]
pub struct Proxy {
    manner: Manner,
    pub(super) host: String,
    pub(super) port: u16,
    user: String,
    password: String,
}

impl Proxy {
    /// Reads `http://[user:password@]host:port` or `socks5://…`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(address: &str) -> Result<Self, String> {
        let url = Url::parse(address).map_err(|error| format!("{error}; write it as http://host:port"))?;
        let (manner, usual) = match url.scheme() {
            "http" => (Manner::Http, 80),
            "socks5" | "socks5h" | "socks" => (Manner::Socks, 1080),
            other => return Err(format!("a proxy speaks http or socks5, not {other}")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it has no host")?;
        let plain = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
        Ok(Self {
            manner,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(usual),
            user: plain(url.username()),
            password: plain(url.password().unwrap_or_default()),
        })
    }

    /// Its address without credentials.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// What `Proxy-Authorization` says, if there is anything to say.
    #[must_use]
    pub fn credentials(&self) -> Option<String> {
        let some = self.manner == Manner::Http && !self.user.is_empty();
        some.then(|| format!("Basic {}", base64(format!("{}:{}", self.user, self.password).as_bytes())))
    }

    /// Has the proxy lead this connection to the host. Returns whether requests must carry the whole address.
    ///
    /// # Errors
    /// [`FetchError::Proxy`] with what the proxy said.
    pub async fn lead(&self, stream: &mut TcpStream, host: &str, port: u16, secure: bool) -> Result<bool, FetchError> {
        let result = match self.manner {
            Manner::Http if !secure => return Ok(true),
            Manner::Http => self.tunnel(stream, host, port).await,
            Manner::Socks => self.socks(stream, host, port).await,
        };
        result.map(|()| false).map_err(|why| FetchError::Proxy { proxy: self.shown(), host: host.to_owned(), why })
    }

    async fn tunnel(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), String> {
        let told = |error: std::io::Error| error.to_string();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let login = self.credentials().map(|it| format!("Proxy-Authorization: {it}\r\n")).unwrap_or_default();
        let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
        stream.write_all(request.as_bytes()).await.map_err(told)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            // A byte at a time: what follows the head belongs to the tunnel.
            head.push(stream.read_u8().await.map_err(told)?);
            if head.len() > HEAD {
                return Err("its answer has no end".to_owned());
            }
        }
        let line = String::from_utf8_lossy(&head);
        let line = line.lines().next().unwrap_or_default();
        match line.split(' ').nth(1) {
            Some(status) if status.starts_with('2') => Ok(()),
            _ => Err(format!("it says \"{line}\"")),
        }
    }

    async fn socks(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), String> {
        let told = |error: std::io::Error| error.to_string();
        let login = !self.user.is_empty();
        let hello: &[u8] = if login { &[5, 2, 0, 2] } else { &[5, 1, 0] };
        stream.write_all(hello).await.map_err(told)?;
        let mut answer = [0; 2];
        stream.read_exact(&mut answer).await.map_err(told)?;
        match answer {
            [5, 0] => {}
            [5, 2] if login => {
                let mut message = vec![1];
                for part in [&self.user, &self.password] {
                    message.push(u8::try_from(part.len()).map_err(|_| "user or password is too long".to_owned())?);
                    message.extend_from_slice(part.as_bytes());
                }
                stream.write_all(&message).await.map_err(told)?;
                stream.read_exact(&mut answer).await.map_err(told)?;
                if answer[1] != 0 {
                    return Err("it refuses user and password".to_owned());
                }
            }
            [5, _] => return Err("it wants another kind of login".to_owned()),
            _ => return Err("it is no SOCKS 5 proxy".to_owned()),
        }
        let mut request = vec![5, 1, 0];
        match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => {
                request.push(1);
                request.extend_from_slice(&address.octets());
            }
            Ok(IpAddr::V6(address)) => {
                request.push(4);
                request.extend_from_slice(&address.octets());
            }
            Err(_) => {
                request.push(3);
                request.push(u8::try_from(host.len()).map_err(|_| "the name is too long".to_owned())?);
                request.extend_from_slice(host.as_bytes());
            }
        }
        request.extend_from_slice(&port.to_be_bytes());
        stream.write_all(&request).await.map_err(told)?;
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).await.map_err(told)?;
        if reply[1] != 0 {
            // RFC 1928 section 6.
            let why = match reply[1] {
                2 => "its rules forbid it",
                3 => "the network is unreachable",
                4 => "the host is unreachable",
                5 => "the connection was refused",
                6 => "it took too long",
                _ => "it failed",
            };
            return Err(why.to_owned());
        }
        let length = match reply[3] {
            1 => 4,
            4 => 16,
            _ => usize::from(stream.read_u8().await.map_err(told)?),
        };
        let mut bound = vec![0; length + 2];
        stream.read_exact(&mut bound).await.map_err(told)?;
        Ok(())
    }
}

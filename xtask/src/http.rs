//! Just enough of an HTTP/1.1 client to ask our own server on the loopback interface.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection that is used again and again.
pub(crate) struct Client {
    address: String,
    stream: BufReader<TcpStream>,
}

/// What came back.
pub(crate) struct Response {
    /// 200, 303, …
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// As it came: nothing is uncompressed.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Connects to `host:port`.
    pub(crate) fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("nobody listens at {address}"))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        Ok(Self { address: address.to_owned(), stream: BufReader::new(stream) })
    }

    /// Sends a request without a body.
    pub(crate) fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
        self.send("GET", path, headers, b"")?;
        self.read_response()
    }

    /// Sends JSON.
    pub(crate) fn post(&mut self, path: &str, headers: &[(&str, &str)], json: &str) -> Result<Response> {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send("POST", path, &headers, json.as_bytes())?;
        self.read_response()
    }

    /// Deletes.
    pub(crate) fn delete(&mut self, path: &str) -> Result<Response> {
        self.send("DELETE", path, &[], b"")?;
        self.read_response()
    }

    /// Asks for an endless answer and hands back what comes, after its headers.
    pub(crate) fn stream(mut self, path: &str, headers: &[(&str, &str)]) -> Result<BufReader<TcpStream>> {
        self.send("GET", path, headers, b"")?;
        let (status, _) = self.read_head()?;
        if status != 200 {
            bail!("GET {path} answered {status}");
        }
        Ok(self.stream)
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<()> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", self.address, body.len());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        self.stream.get_mut().write_all(&bytes).with_context(|| format!("{} hung up", self.address))
    }

    fn read_head(&mut self) -> Result<(u16, Vec<(String, String)>)> {
        let first = self.read_line()?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("not an HTTP answer: {first}"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.read_line()?;
            let Some((name, value)) = line.split_once(':') else { return Ok((status, headers)) };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn read_response(&mut self) -> Result<Response> {
        let (status, headers) = self.read_head()?;
        let mut response = Response { status, headers, body: Vec::new() };
        if response.header("transfer-encoding") == Some("chunked") {
            loop {
                let line = self.read_line()?;
                let size = usize::from_str_radix(line.trim(), 16).with_context(|| format!("not a chunk size: {line}"))?;
                self.read_bytes(size, &mut response.body)?;
                self.read_line()?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = response.header("content-length") {
            let length = length.parse().context("content-length is not a number")?;
            self.read_bytes(length, &mut response.body)?;
        }
        Ok(response)
    }

    fn read_line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => bail!("{} hung up", self.address),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => bail!("no answer from {} for 30 s", self.address),
            Err(error) => Err(error.into()),
        }
    }

    fn read_bytes(&mut self, count: usize, into: &mut Vec<u8>) -> Result<()> {
        let start = into.len();
        into.resize(start + count, 0);
        Ok(self.stream.read_exact(&mut into[start..])?)
    }
}

impl Response {
    /// The first header of that (lower-case) name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

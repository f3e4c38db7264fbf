//! A server that answers with exactly the bytes it is told, or fails in exactly the way it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What the server does once it has read a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// A whole answer.
    Answer(u16, &'static str, String),
    /// An answer with one more header.
    With(u16, String, String),
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The end of the connection, without a byte.
    Close,
    /// Nothing, for ever.
    Hang,
    /// A good head, then one byte every 50 milliseconds.
    Drip,
}

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// The head, names in lower case as they came.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn url(&self) -> Url {
        Url::parse("http://stub").unwrap().join(&self.target).unwrap()
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.url().query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as text, whatever it holds.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A running stub.
pub(crate) struct Stub {
    pub(crate) url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    pub(crate) async fn start(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (reply, seen) = (Arc::new(reply), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, seen) = (reply.clone(), seen.clone());
                tokio::spawn(async move { serve(stream, &*reply, &seen).await });
            }
        });
        Self { url, asked }
    }

    /// A server that gives the same reply to everything.
    pub(crate) async fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, reply: &(dyn Fn(&Asked) -> Reply + Send + Sync), seen: &Mutex<Vec<Asked>>) {
    let Some(asked) = read(&mut stream).await else { return };
    let reply = reply(&asked);
    seen.lock().unwrap().push(asked);
    let bytes = match reply {
        Reply::Answer(status, kind, body) => answer(status, &format!("content-type: {kind}"), &body),
        Reply::With(status, header, body) => answer(status, &header, &body),
        Reply::Bytes(bytes) => bytes,
        Reply::Close => return,
        Reply::Hang => std::future::pending().await,
        Reply::Drip => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"id\":\"";
            let _ = stream.write_all(head).await;
            while stream.write_all(b"1").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            return;
        }
    };
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

fn answer(status: u16, header: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Stub\r\n{header}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    while bytes.len() < end + length.unwrap_or_default() {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let mut first = head.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    Some(Asked { method, target, head, body: bytes.split_off(end) })
}

//! A platform that answers with the bytes it is told, one answer after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Status and body of the answers that are still to be given, and how many were asked for.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) answers: VecDeque<(u16, Vec<u8>)>,
    pub(crate) asked: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Stub {
    pub(crate) url: Url,
    told: Arc<Mutex<Told>>,
}

impl Stub {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address")).parse().expect("an address");
        let stub = Self { url, told: Arc::default() };
        let told = Arc::clone(&stub.told);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&told)));
            }
        });
        stub
    }

    /// Begins anew with these answers; returns how often the last ones were asked for.
    pub(crate) fn tell(&self, answers: VecDeque<(u16, Vec<u8>)>) -> usize {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *told, Told { answers, asked: 0 }).asked
    }
}

/// Answers until there is no answer left; then it hangs up.
async fn serve(mut stream: TcpStream, told: Arc<Mutex<Told>>) {
    while read(&mut stream).await.is_some() {
        let next = {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.asked += 1;
            told.answers.pop_front()
        };
        let Some((status, body)) = next else { return };
        let length = if status == 204 { 0 } else { body.len() };
        let mut bytes =
            format!("HTTP/1.1 {status} Stub\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(&body[..length]);
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok()).unwrap_or_default();
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(())
}

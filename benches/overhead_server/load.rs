//! The load: as light as it can be, so that what is measured is the server. Each of its keep-alive
//! connections asks again when it has been answered, on a thread of its own; they send bytes, and
//! look for the end of the answer.

use crate::latencies::{histogram, record};
use crate::service::PATH;
use hdrhistogram::Histogram;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What the clients saw while they counted.
pub(crate) struct Seen {
    pub(crate) latencies: Histogram<u64>,
    /// Those included that were not counted.
    pub(crate) requests: u64,
}

/// When a slice counts.
#[derive(Clone, Copy)]
struct Period {
    begin: Instant,
    end: Instant,
}

/// Asks for so long, over connections of its own: what a connection is lucky or unlucky with, a
/// buffer's place in memory for example, is not the same variant's forever. What is answered in the
/// first quarter more is not counted.
pub(crate) async fn slice(
    address: SocketAddr,
    connections: usize,
    time: Duration,
) -> io::Result<Seen> {
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let begin = Instant::now() + time / 4;
    let period = Period {
        begin,
        end: begin + time,
    };
    let mut clients = JoinSet::new();
    for stream in streams {
        clients.spawn(ask(stream, period));
    }
    let mut all = Seen {
        latencies: histogram(),
        requests: 0,
    };
    while let Some(client) = clients.join_next().await {
        let seen = client.expect("a client does not panic")?;
        all.latencies += seen.latencies;
        all.requests += seen.requests;
    }
    Ok(all)
}

/// One connection.
async fn ask(mut stream: TcpStream, period: Period) -> io::Result<Seen> {
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut answer = Vec::with_capacity(1024);
    let mut seen = Seen {
        latencies: histogram(),
        requests: 0,
    };
    let mut asked = Instant::now();
    while asked < period.end {
        stream.write_all(request.as_bytes()).await?;
        answer.clear();
        while !is_whole(&answer)? {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let answered = Instant::now();
        if (period.begin..period.end).contains(&answered) {
            record(&mut seen.latencies, answered - asked);
        }
        seen.requests += 1;
        asked = answered;
    }
    Ok(seen)
}

/// Whether the answer has come to its end; an error if it is not the one that was asked for.
fn is_whole(answer: &[u8]) -> io::Result<bool> {
    let status = b"HTTP/1.1 200 ";
    let begins = answer.len().min(status.len());
    if answer[..begins] != status[..begins] {
        let text = String::from_utf8_lossy(answer);
        return Err(io::Error::other(format!("the wrong answer: {text}")));
    }
    // The body is one flat JSON object, and no header has a brace.
    Ok(answer.ends_with(b"}"))
}

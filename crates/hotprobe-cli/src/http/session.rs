//! The session of a query: the thread that handles signals can end it early, and then the response
//! is complete.

use crate::failure::Failure;
use crate::http::answer::Answer;
use crate::http::client::Client;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The session of this program's query. All clones are of the same session.
#[derive(Clone, Debug)]
pub(crate) struct Session(Arc<SharedSession>);

#[derive(Debug)]
struct SharedSession {
    client: Client,
    state: Mutex<SessionState>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SessionState {
    /// The query has not been sent.
    NotAsked,
    /// The server has not answered yet. It may have attached something.
    Asked,
    /// The server has answered, with the session's number if it is hotprobe's.
    Open(Option<u64>),
}

impl Session {
    pub(crate) fn new(client: &Client) -> Self {
        Self(Arc::new(SharedSession {
            client: client.clone(),
            state: Mutex::new(SessionState::NotAsked),
            changed: Condvar::new(),
        }))
    }

    /// Sends the query by `ask`, and keeps the number of the session that it begins.
    pub(crate) fn begin<T>(
        &self,
        ask: impl FnOnce(&Client) -> Result<(Answer, T), Failure>,
    ) -> Result<(Answer, T), Failure> {
        *self.lock() = SessionState::Asked;
        // (Where it fails, the program ends with this failure.)
        let (answer, rest) = ask(&self.0.client)?;
        *self.lock() = SessionState::Open(answer.session());
        self.0.changed.notify_all();
        Ok((answer, rest))
    }

    /// Ends the session: the response is complete soon. Waits until the server has answered.
    ///
    /// # Errors
    ///
    /// Why there will be no complete response, as the rest of a sentence.
    pub(crate) fn stop(&self) -> Result<(), String> {
        let state = self
            .0
            .changed
            .wait_while(self.lock(), |state| *state == SessionState::Asked)
            .unwrap_or_else(PoisonError::into_inner);
        let SessionState::Open(Some(number)) = *state else {
            return Err(String::new());
        };
        drop(state);
        let stopped = self.0.client.stop(number);
        stopped.map_err(|failure| format!("; the session could not be stopped: {failure}"))
    }

    fn lock(&self) -> MutexGuard<'_, SessionState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;
    use std::thread;

    /// Accepts a connection; returns it, and the first line of its request.
    fn request(listener: &TcpListener) -> (TcpStream, String) {
        let (mut connection, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            connection.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        (connection, head.lines().next().unwrap().to_owned())
    }

    #[test]
    fn a_session_is_stopped_also_while_the_server_has_not_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = crate::arguments::Server {
            process: None,
            url: Some(format!("{}", listener.local_addr().unwrap())),
            token_file: None::<PathBuf>,
        };
        let session = Session::new(&Client::new(&server).unwrap());
        assert_eq!(session.stop(), Err(String::new()));
        let head = |status: &str, rest: &str| format!("HTTP/1.1 {status}\r\n{rest}\r\n");
        for status in ["200 OK", "404 Not Found", "403 Forbidden"] {
            *session.lock() = SessionState::Asked;
            let stopping = thread::spawn({
                let session = session.clone();
                move || session.stop()
            });
            thread::scope(|scope| {
                let asking = scope.spawn(|| {
                    let query = crate::http::query::Query::get("stacks");
                    session.begin(|client| Ok((client.ask(&query)?, ())))
                });
                let (mut connection, line) = request(&listener);
                assert_eq!(line, "GET /debug/probes/stacks HTTP/1.1");
                let number = "Hotprobe-Session: 17\r\nContent-Length: 0\r\n";
                let answer = head("200 OK", number);
                connection.write_all(answer.as_bytes()).unwrap();
                asking.join().unwrap().unwrap();
            });
            let (mut connection, line) = request(&listener);
            assert_eq!(line, "POST /debug/probes/stop?session=17 HTTP/1.1");
            let answer = head(status, "Content-Length: 0\r\nConnection: close\r\n");
            connection.write_all(answer.as_bytes()).unwrap();
            drop(connection);
            // 404: it has just ended by itself.
            let is_stopped = status != "403 Forbidden";
            assert_eq!(stopping.join().unwrap().is_ok(), is_stopped, "{status}");
        }
    }
}

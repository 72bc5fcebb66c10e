//! Server-sent events: a response that is read while the server sends it.

use crate::failure::Failure;
use crate::http::answer::{Answer, broken};
use crate::output::shown;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, BufReader, Read};

/// The longest line, in bytes: a server sends no more than it buffers for a client.
const LINE: u64 = 1 << 20;
/// The longest message, in bytes, of all its lines.
const LONGEST: usize = 1 << 20;

/// The messages of a response, one after the other.
pub(crate) struct EventStream<R> {
    reader: BufReader<R>,
    url: String,
}

/// A name, and a line of JSON.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) name: String,
    pub(crate) data: String,
}

impl EventStream<()> {
    pub(crate) fn of(answer: Answer) -> EventStream<impl Read> {
        let url = answer.url().to_owned();
        EventStream {
            reader: BufReader::new(answer.reader()),
            url,
        }
    }
}

impl<R: Read> EventStream<R> {
    /// Returns the next message. The last one is called `end`: without it, the stream broke off.
    pub(crate) fn next(&mut self) -> Result<Message, Failure> {
        let mut message = Message::default();
        loop {
            let line = self.line().map_err(|error| {
                Failure::failed(format!("`{}`: {}", shown(&self.url), broken(&error)))
            })?;
            if line.is_empty() {
                if message != Message::default() {
                    return Ok(message);
                }
            } else if let Some(name) = field(&line, "event") {
                name.clone_into(&mut message.name);
            } else if let Some(data) = field(&line, "data") {
                if message.data.len() + data.len() > LONGEST {
                    return Err(Failure::failed(format!(
                        "`{}` sent a message that is longer than any of hotprobe's",
                        shown(&self.url)
                    )));
                }
                message.data += data;
            }
        }
    }

    /// Parses the data of a message.
    pub(crate) fn read<T: DeserializeOwned>(&self, message: &Message) -> Result<T, Failure> {
        serde_json::from_str(&message.data).map_err(|error| {
            Failure::failed(format!(
                "`{}` sent a message `{}` that is not hotprobe's, or of another version ({})",
                shown(&self.url),
                shown(&message.name),
                shown(&error.to_string())
            ))
        })
    }

    /// Reads a line, without its end.
    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.reader).take(LINE).read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(if line.len() as u64 + 1 >= LINE {
                io::Error::other("a line is longer than any of hotprobe's")
            } else {
                io::ErrorKind::UnexpectedEof.into()
            });
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line).map_err(|_| io::Error::other("a line is not UTF-8"))
    }
}

/// Returns the value, if the line is of this field.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = line.strip_prefix(name)?.strip_prefix(':')?;
    Some(value.strip_prefix(' ').unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(text: &str) -> EventStream<&[u8]> {
        EventStream {
            reader: BufReader::new(text.as_bytes()),
            url: "http://here".to_owned(),
        }
    }

    fn message(name: &str, data: &str) -> Message {
        Message {
            name: name.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn messages_are_read_one_after_the_other() {
        let mut stream =
            stream("event: begin\ndata: {}\n\n: a comment\n\nevent:end\r\ndata:[1]\r\n\r\n");
        assert_eq!(stream.next().unwrap(), message("begin", "{}"));
        assert_eq!(stream.next().unwrap(), message("end", "[1]"));
        let Err(Failure::Failed(told)) = stream.next() else {
            panic!("there is no more");
        };
        assert!(told.contains("broke off"), "{told}");
    }

    #[test]
    fn half_a_message_is_none() {
        assert!(stream("event: record\ndata: {\"at\":").next().is_err());
        assert!(stream("event: record\ndata: {}\n").next().is_err());
    }

    #[test]
    fn a_message_of_endless_lines_is_not_kept() {
        /// Lines without end, of which this counts what is read.
        struct Endless(u64);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let line = b"data: xxxxxxxxx\n";
                let count = buffer.len() / line.len() * line.len();
                for piece in buffer[..count].chunks_mut(line.len()) {
                    piece.copy_from_slice(line);
                }
                self.0 += count as u64;
                assert!(self.0 < 16 << 20, "it is read on and on");
                Ok(count)
            }
        }
        let mut stream = EventStream {
            reader: BufReader::new(Endless(0)),
            url: "http://here".to_owned(),
        };
        let Err(Failure::Failed(told)) = stream.next() else {
            panic!("it is refused");
        };
        assert!(told.contains("a message that is longer"), "{told}");
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let endless = "x".repeat(3 << 20);
        let Err(Failure::Failed(told)) = stream(&endless).next() else {
            panic!("it is refused");
        };
        assert!(
            told.contains("cannot read the response: a line is longer"),
            "{told}"
        );
    }
}

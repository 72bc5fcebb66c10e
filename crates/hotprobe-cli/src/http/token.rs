//! The server's token: from a file or a variable, never from the command line.

use crate::arguments::Server;
use crate::failure::Failure;
use crate::output::shown;
use std::env;
use std::fs;

const VARIABLE: &str = "HOTPROBE_TOKEN";

/// Returns the token, if there is one. No message contains any of it.
pub(crate) fn of(server: &Server) -> Result<Option<String>, Failure> {
    let (token, source) = if let Some(path) = &server.token_file {
        let source = format!("the file `{}`", shown(&path.to_string_lossy()));
        let token = fs::read_to_string(path).map_err(|error| {
            Failure::failed(format!("cannot read the token from {source}: {error}"))
        })?;
        (token, source)
    } else {
        match env::var(VARIABLE) {
            Ok(token) if !token.is_empty() => (token, format!("the variable {VARIABLE}")),
            Ok(_) | Err(env::VarError::NotPresent) => return Ok(None),
            Err(env::VarError::NotUnicode(_)) => {
                return Err(unusable(&format!("the variable {VARIABLE}")));
            }
        }
    };
    let token = token.trim_ascii();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unusable(&source));
    }
    Ok(Some(token.to_owned()))
}

fn unusable(source: &str) -> Failure {
    Failure::usage(format!(
        "the token in {source} cannot be used: expected one line of visible ASCII characters, without spaces"
    ))
}

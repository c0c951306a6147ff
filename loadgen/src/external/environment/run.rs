//! Running the programs that make environments.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use super::error::EnvironmentError;

/// How much of what a failed program said is shown.
const SHOWN_LINES: usize = 15;

/// Runs `command`, telling `progress` its standard output. The inner error is the last lines of
/// both outputs of a command that failed.
pub(super) fn run(
    mut command: Command,
    progress: &mut dyn FnMut(&str),
) -> Result<Result<(), String>, EnvironmentError> {
    let program = PathBuf::from(command.get_program());
    let start = |source| EnvironmentError::Start { program: program.clone(), source };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(start)?;
    let stderr = child.stderr.take();
    let errors = thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stderr) = stderr {
            // A broken pipe ends what is shown; the exit status still tells the outcome.
            let _ = stderr.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let mut said = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            progress(&line);
            said.push(line);
        }
    }
    let status = child.wait().map_err(start)?;
    let errors = errors.join().unwrap_or_default();
    if status.success() {
        return Ok(Ok(()));
    }
    said.extend(errors.lines().map(str::to_owned));
    Ok(Err(said[said.len().saturating_sub(SHOWN_LINES)..].join("\n")))
}

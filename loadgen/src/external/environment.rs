//! Python environments, made on first use from a lock file.

use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use sha2::{Digest, Sha256};

use super::python::{self, Python, Version};

/// What an environment must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// For whom it is, such as `python/article`; part of the folder's name.
    pub name: String,
    /// The lock file: every package with its exact version and hashes.
    pub lock: PathBuf,
    /// The oldest Python that the packages run on.
    pub minimum_version: Version,
}

/// A virtual environment with exactly the locked packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Where its programs are: what comes first on the `PATH` of what runs in it.
    pub programs: PathBuf,
}

/// An environment that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// No Python, or none that is new enough.
    #[error(
        "{name} needs Python {minimum} or newer on PATH, and {}",
        describe_found(.found)
    )]
    Python {
        /// For whom it is needed.
        name: String,
        /// The oldest version that will do.
        minimum: Version,
        /// The versions that were found.
        found: Vec<Version>,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    File {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A program that makes the environment could not start.
    #[error("cannot start {}: {source}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The empty environment could not be made.
    #[error(
        "cannot make a Python environment for {name}; on Debian and Ubuntu, install python3-venv. python -m venv said:\n{said}"
    )]
    Venv {
        /// For whom it is.
        name: String,
        /// The last lines of what it said.
        said: String,
    },
    /// The packages could not be installed.
    #[error(
        "cannot install the packages of {name}; check the network, or point pip at a mirror with PIP_INDEX_URL, and run again. pip said:\n{said}"
    )]
    Pip {
        /// For whom they are.
        name: String,
        /// The last lines of what it said.
        said: String,
    },
}

/// Written last, so that an environment that was cut short is made again.
const COMPLETE: &str = "spanproof-complete";

/// How much of what a failed program said is shown.
const SHOWN_LINES: usize = 15;

impl Environment {
    /// The environment of `requirements` below the folder `home`, made now if it is not there.
    ///
    /// Blocks: making one takes seconds to minutes, and waits for another process that is making
    /// the same one. `progress` is told what happens, a line at a time.
    ///
    /// # Errors
    ///
    /// When there is no suitable Python, or the packages cannot be installed.
    pub fn prepare(
        requirements: &Requirements,
        home: &Path,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Environment, EnvironmentError> {
        let name = &requirements.name;
        let minimum = requirements.minimum_version;
        let python = python::find(minimum).map_err(|found| EnvironmentError::Python {
            name: name.clone(),
            minimum,
            found,
        })?;
        let folder = folder(requirements, &python, home)?;
        let environment = Environment { programs: folder.join("bin") };
        if environment.is_complete(&folder) {
            return Ok(environment);
        }
        let parent = folder.parent().unwrap_or(home);
        fs::create_dir_all(parent).map_err(file_error("make", parent))?;
        let _held = hold(&folder.with_extension("lock"), name, progress)?;
        // Another process may have made it while this one waited.
        if !environment.is_complete(&folder) {
            environment.make(&folder, &python, requirements, progress)?;
        }
        Ok(environment)
    }

    fn is_complete(&self, folder: &Path) -> bool {
        // The interpreter is a link to the system's, which an upgrade may have taken away.
        folder.join(COMPLETE).is_file() && self.programs.join("python").exists()
    }

    fn make(
        &self,
        folder: &Path,
        python: &Python,
        requirements: &Requirements,
        progress: &mut dyn FnMut(&str),
    ) -> Result<(), EnvironmentError> {
        let name = &requirements.name;
        progress(&format!("making a Python {} environment for {name}", python.version));
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(file_error("remove", folder))?;
        }
        let mut venv = Command::new(&python.program);
        venv.args(["-I", "-m", "venv"]).arg(folder);
        run(venv, &mut |_| ())?
            .map_err(|said| EnvironmentError::Venv { name: name.clone(), said })?;
        let mut pip = Command::new(self.programs.join("python"));
        pip.args(["-I", "-m", "pip", "install", "--require-hashes", "--no-input"])
            .args(["--disable-pip-version-check", "--progress-bar", "off", "--requirement"])
            .arg(&requirements.lock);
        run(pip, &mut |line| {
            if let Some(package) = collected(line) {
                progress(&format!("installing {package}"));
            }
        })?
        .map_err(|said| EnvironmentError::Pip { name: name.clone(), said })?;
        let marker = folder.join(COMPLETE);
        fs::write(&marker, "").map_err(file_error("write", &marker))
    }
}

/// Named after everything the environment depends on, so that it never goes stale.
fn folder(
    requirements: &Requirements,
    python: &Python,
    home: &Path,
) -> Result<PathBuf, EnvironmentError> {
    let lock = fs::read(&requirements.lock).map_err(file_error("read", &requirements.lock))?;
    let mut hash = Sha256::new();
    hash.update(python.version.to_string());
    hash.update(python.program.as_os_str().as_encoded_bytes());
    hash.update(&lock);
    let mut folder = requirements.name.replace('/', "-") + "-";
    for byte in hash.finalize().iter().take(6) {
        // Writing to a string does not fail.
        let _ = write!(folder, "{byte:02x}");
    }
    Ok(home.join("python").join(folder))
}

/// Waits until no other process makes the environment. Dropping the file lets the next one in.
fn hold(path: &Path, name: &str, progress: &mut dyn FnMut(&str)) -> Result<File, EnvironmentError> {
    let lock = File::create(path).map_err(file_error("write", path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(&format!("waiting for another process to make the environment of {name}"));
            lock.lock().map_err(file_error("lock", path))?;
        }
        Err(TryLockError::Error(source)) => return Err(file_error("lock", path)(source)),
    }
    Ok(lock)
}

/// Runs `command`, telling `progress` its standard output. The inner error is the last lines of
/// both outputs of a command that failed.
fn run(
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

/// The package in pip's `Collecting boto3==1.44.5 (from -r …)`, the one line of each package.
fn collected(line: &str) -> Option<&str> {
    line.strip_prefix("Collecting ")?.split_whitespace().next()
}

fn file_error<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> EnvironmentError + 'a {
    move |source| EnvironmentError::File { action, path: path.to_owned(), source }
}

fn describe_found(found: &[Version]) -> String {
    match found.iter().max() {
        None => "found no python3: install Python, or put it on PATH".to_owned(),
        Some(newest) => format!("the newest found is {newest}: install a newer one beside it"),
    }
}

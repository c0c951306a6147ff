//! A running worker.

use std::env;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use spanproof_schemas::worker::{Call, Done};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::environment::Environment;
use super::failure::{Cause, Failure};
use super::lines::Lines;
use super::manifest::Manifest;
use super::settings::{Limits, Settings, is_withheld};
use super::supervisor::{Shared, Supervisor};
use crate::client::{Client, ClientError, ClientErrorKind};

/// Calls that wait here for room in the worker's input before callers wait themselves.
const WAITING_CALLS: usize = 64;

/// A client program that takes calls over the worker protocol.
///
/// Dropping it closes the program's input, upon which the program ends by itself.
pub struct Worker {
    name: String,
    shared: Arc<Shared>,
    calls: Mutex<Option<mpsc::Sender<String>>>,
    stop: mpsc::Sender<Cause>,
    supervisor: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    limits: Limits,
}

impl Worker {
    /// Starts the client `manifest` in `environment`, and waits until it takes calls.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or does not get ready in time.
    pub async fn start(
        manifest: &Manifest,
        environment: &Environment,
        settings: Settings,
    ) -> Result<Worker, ClientError> {
        start(manifest, environment, settings).await
    }

    fn calls(&self) -> Option<mpsc::Sender<String>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the worker has ended and says how.
    async fn ended(&self) -> Result<(), Failure> {
        let mut supervisor = self.supervisor.lock().await;
        // Taken only once it has ended, since this future may be dropped while it waits.
        if let Some(running) = supervisor.as_mut() {
            // It panics or is cancelled only with the runtime.
            let _ = running.await;
            *supervisor = None;
        }
        self.shared.end().unwrap_or_else(|| Err(self.shared.failure(Cause::Ended)))
    }
}

impl Client for Worker {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn call(&self, call: Call) -> Result<Done, ClientError> {
        let mut line = serde_json::to_string(&call).map_err(|error| {
            let message = format!("call {} cannot be written as JSON: {error}", call.call);
            ClientError::new(ClientErrorKind::Ended, message)
        })?;
        line.push('\n');
        let end = self.shared.open(call.call)?;
        if let Some(calls) = self.calls() {
            // When nobody takes the line, the worker is about to end, and that ends the call.
            let _ = calls.send(line).await;
        }
        match end.await {
            Ok(end) => Ok(end?),
            Err(_) => Err(self.shared.failure(Cause::Ended).into()),
        }
    }

    async fn finish(&self) -> Result<(), ClientError> {
        self.shared.finishing();
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Ok(end) = timeout(self.limits.finish, self.ended()).await {
            return Ok(end?);
        }
        Err(self.give_up(Cause::NeverEnded(self.limits.finish)).await)
    }
}

impl Worker {
    async fn give_up(&self, cause: Cause) -> ClientError {
        let failure = self.shared.failure(cause.clone());
        // A full channel means that the supervisor is giving up already.
        let _ = self.stop.try_send(cause);
        match self.ended().await {
            Err(failure) => failure.into(),
            Ok(()) => failure.into(),
        }
    }
}

async fn start(
    manifest: &Manifest,
    environment: &Environment,
    settings: Settings,
) -> Result<Worker, ClientError> {
    let shared = Shared::new(&manifest.name);
    let mut child = command(manifest, environment, &settings).spawn().map_err(|error| {
        let program = manifest.command.first().cloned().unwrap_or_default();
        shared.failure(Cause::Spawn { program, reason: error.to_string() })
    })?;
    let (Some(input), Some(output), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        let message = format!("{} was started without pipes", manifest.name);
        return Err(ClientError::new(ClientErrorKind::Start, message));
    };
    let (stop, stopped) = mpsc::channel(1);
    let (calls, lines) = mpsc::channel(WAITING_CALLS);
    let (ready, readiness) = oneshot::channel();
    tokio::spawn(write(input, lines, stop.clone()));
    let supervisor = Supervisor {
        child,
        output: Lines::new(output),
        errors: tokio::spawn(keep_errors(errors, Arc::clone(&shared), settings.clone())),
        shared: Arc::clone(&shared),
        stop: stopped,
        ready: Some(ready),
        limits: settings.limits,
    };
    let mut worker = Worker {
        name: manifest.name.clone(),
        shared,
        calls: Mutex::new(Some(calls)),
        stop,
        supervisor: tokio::sync::Mutex::new(Some(tokio::spawn(supervisor.run()))),
        limits: settings.limits,
    };
    match timeout(settings.limits.ready, readiness).await {
        Ok(Ok(client)) => {
            worker.name = format!("{} ({client})", manifest.name);
            Ok(worker)
        }
        Ok(Err(_)) => {
            let end = worker.ended().await;
            Err(end.err().unwrap_or_else(|| worker.shared.failure(Cause::Ended)).into())
        }
        Err(_) => Err(worker.give_up(Cause::NeverReady(settings.limits.ready)).await),
    }
}

fn command(manifest: &Manifest, environment: &Environment, settings: &Settings) -> Command {
    let words = environment.command(&manifest.command);
    let (program, arguments) = match words.split_first() {
        Some((program, arguments)) => (program.as_str(), arguments),
        None => ("", [].as_slice()),
    };
    let clients = manifest.folder.ancestors().nth(2).unwrap_or(Path::new("."));

    let mut command = Command::new(program);
    command.args(arguments).current_dir(&manifest.folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // In a group of its own, so that Ctrl-C reaches this process alone, which then ends the worker
    // in good order.
    command.process_group(0).kill_on_drop(true);
    for (variable, _) in env::vars_os() {
        if variable.to_str().is_some_and(is_withheld) {
            command.env_remove(variable);
        }
    }
    command.env("PATH", environment.path()).envs(settings.variables());
    command.envs(environment.variables(clients));
    command.envs(&manifest.environment);
    command.envs(manifest.content_variables(settings.content).into_iter().flatten());
    command
}

async fn write(
    mut input: ChildStdin,
    mut lines: mpsc::Receiver<String>,
    stop: mpsc::Sender<Cause>,
) {
    while let Some(line) = lines.recv().await {
        if let Err(error) = input.write_all(line.as_bytes()).await {
            let _ = stop.try_send(Cause::StoppedReading(error.to_string()));
            return;
        }
    }
}

async fn keep_errors(errors: impl AsyncRead + Unpin, shared: Arc<Shared>, settings: Settings) {
    let mut lines = Lines::new(errors);
    while let Ok(Some(line)) = lines.next().await {
        shared.keep(&line);
        if let Some(on_stderr) = &settings.on_stderr {
            on_stderr(&line);
        }
    }
}

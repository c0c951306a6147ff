//! What clients run in, made on first use from a lock file.

mod error;
mod go;
mod java;
mod node;
mod python;
mod run;
mod source;
mod tool;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

pub use error::EnvironmentError;
pub use tool::Tool;

use self::tool::Found;
use super::language::Language;
use super::version::Version;

/// What an environment must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// For whom it is, such as `python/article`; part of the folder's name.
    pub name: String,
    /// What its programs are written in.
    pub language: Language,
    /// The lock file: every package with its exact version. The sources of programs that are built
    /// stand beside it.
    pub lock: PathBuf,
    /// The oldest version of the language that will do.
    pub minimum_version: Version,
}

/// A folder with exactly the locked packages, and with what was built of the program's sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// What its programs are written in.
    pub language: Language,
    /// The folder.
    pub folder: PathBuf,
    /// Where its programs are: what comes first on the `PATH` of what runs in it.
    pub programs: PathBuf,
}

/// Written last, so that an environment that was cut short is made again.
const COMPLETE: &str = "spanproof-complete";

impl Environment {
    /// The environment of `requirements` below the folder `home`, made now if it is not there.
    ///
    /// Blocks: making one takes seconds to minutes, and waits for another process that is making
    /// the same one. `progress` is told what happens, a line at a time.
    ///
    /// # Errors
    ///
    /// When a tool of the language is missing or too old, or the packages cannot be installed.
    pub fn prepare(
        requirements: &Requirements,
        home: &Path,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Environment, EnvironmentError> {
        let tool = match requirements.language {
            Language::Python => &python::PYTHON,
            Language::Node => &node::NODE,
            Language::Java => &java::JDK,
            Language::Go => &go::GO,
        };
        let found = tool.find(requirements.minimum_version, &requirements.name)?;
        let folder = requirements.place(&found, home)?;
        let environment = Environment::at(requirements.language, folder);
        if environment.is_complete() {
            return Ok(environment);
        }
        let folder = &environment.folder;
        let parent = folder.parent().unwrap_or(home);
        fs::create_dir_all(parent).map_err(EnvironmentError::file("make", parent))?;
        let _held = hold(&folder.with_extension("lock"), &requirements.name, progress)?;
        // Another process may have made it while this one waited.
        if !environment.is_complete() {
            environment.make(&found, requirements, progress)?;
        }
        Ok(environment)
    }

    fn at(language: Language, folder: PathBuf) -> Environment {
        let programs = match language {
            Language::Python | Language::Java | Language::Go => folder.join("bin"),
            Language::Node => folder.join("node_modules/.bin"),
        };
        Environment { language, folder, programs }
    }

    /// The variables by which programs find what is in it. In the folder `clients` are the files
    /// that the clients of a language share.
    #[must_use]
    pub fn variables(&self, clients: &Path) -> Vec<(&'static str, OsString)> {
        match self.language {
            Language::Python => vec![
                ("PYTHONPATH", clients.join("python").into()),
                ("PYTHONDONTWRITEBYTECODE", "1".into()),
            ],
            Language::Node => vec![("NODE_PATH", self.folder.join("node_modules").into())],
            Language::Java | Language::Go => Vec::new(),
        }
    }

    /// The words of a command that runs in it: `{environment}` stands for its folder, and a program
    /// of its own is named by its path, since which `PATH` a bare name is looked up in, that of
    /// the parent or the child, differs between systems.
    #[must_use]
    pub fn command(&self, words: &[String]) -> Vec<String> {
        let folder = self.folder.display().to_string();
        let mut words: Vec<_> =
            words.iter().map(|word| word.replace("{environment}", &folder)).collect();
        if let Some(program) = words.first_mut() {
            let own = self.programs.join(&*program);
            if own.is_file() {
                *program = own.display().to_string();
            }
        }
        words
    }

    /// The `PATH` of what runs in it: its programs, then those of this process.
    #[must_use]
    pub fn path(&self) -> OsString {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.programs.clone())
            .chain(env::split_paths(&inherited).filter(|folder| !folder.as_os_str().is_empty()));
        // A folder with the separator in its name cannot be on a PATH at all.
        env::join_paths(folders).unwrap_or(inherited)
    }

    fn is_complete(&self) -> bool {
        let is_whole = match self.language {
            // The interpreter is a link to the system's, which an upgrade may have taken away.
            Language::Python => self.programs.join("python").exists(),
            Language::Node | Language::Java | Language::Go => true,
        };
        is_whole && self.folder.join(COMPLETE).is_file()
    }

    fn make(
        &self,
        found: &Found,
        requirements: &Requirements,
        progress: &mut dyn FnMut(&str),
    ) -> Result<(), EnvironmentError> {
        let Requirements { name, lock, .. } = requirements;
        let (folder, language) = (&self.folder, self.language.name());
        progress(&format!("making a {language} {} environment for {name}", found.version));
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(EnvironmentError::file("remove", folder))?;
        }
        match self.language {
            Language::Python => python::make(name, lock, found, folder, progress)?,
            Language::Node => node::make(name, lock, folder, progress)?,
            Language::Java => java::make(name, lock, folder, progress)?,
            Language::Go => go::make(name, requirements.source(), folder, progress)?,
        }
        let marker = folder.join(COMPLETE);
        fs::write(&marker, "").map_err(EnvironmentError::file("write", &marker))
    }
}

impl Requirements {
    /// The folder of the lock file, where the sources of programs are that must be built.
    fn source(&self) -> &Path {
        self.lock.parent().unwrap_or(&self.lock)
    }

    /// Named after everything the environment depends on, so that it never goes stale.
    fn place(&self, found: &Found, home: &Path) -> Result<PathBuf, EnvironmentError> {
        let mut depends_on = source::Fingerprint::new();
        depends_on.add(found.version.to_string().as_bytes());
        depends_on.add(found.program.as_os_str().as_encoded_bytes());
        match self.language {
            Language::Python => depends_on.add_file(&self.lock)?,
            Language::Node => {
                depends_on.add_file(&self.lock.with_file_name(node::PACKAGES))?;
                depends_on.add_file(&self.lock)?;
            }
            Language::Java | Language::Go => depends_on.add_folder(self.source())?,
        }
        let folder = format!("{}-{}", self.name.replace('/', "-"), depends_on.finish());
        Ok(home.join(self.language.folder()).join(folder))
    }
}

/// Waits until no other process makes the environment. Dropping the file lets the next one in.
fn hold(path: &Path, name: &str, progress: &mut dyn FnMut(&str)) -> Result<File, EnvironmentError> {
    let lock = File::create(path).map_err(EnvironmentError::file("write", path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(&format!("waiting for another process to make the environment of {name}"));
            lock.lock().map_err(EnvironmentError::file("lock", path))?;
        }
        Err(TryLockError::Error(source)) => {
            return Err(EnvironmentError::file("lock", path)(source));
        }
    }
    Ok(lock)
}

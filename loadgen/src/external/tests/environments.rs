use std::fs;
use std::path::Path;
use std::thread;

use crate::external::{Environment, EnvironmentError, Language, Requirements, Version};

/// A lock file that needs nothing, so that no test needs the network.
const EMPTY_LOCK: &str = "# nothing";

fn requirements(folder: &Path, lock: &str) -> Requirements {
    let path = folder.join("requirements.lock");
    fs::write(&path, lock).unwrap();
    Requirements {
        name: "python/test".to_owned(),
        language: Language::Python,
        lock: path,
        minimum_version: Version { major: 3, minor: 8 },
    }
}

/// Prepares the environment; with what was said while it was made.
fn prepare(
    requirements: &Requirements,
    home: &Path,
) -> (Result<Environment, EnvironmentError>, Vec<String>) {
    let mut said = Vec::new();
    let result = Environment::prepare(requirements, home, &mut |line| said.push(line.to_owned()));
    (result, said)
}

#[test]
fn an_environment_is_made_once_by_however_many_and_again_when_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let requirements = requirements(folder.path(), EMPTY_LOCK);
    let made: Vec<_> = thread::scope(|scope| {
        let prepare = || prepare(&requirements, folder.path());
        let threads = [scope.spawn(prepare), scope.spawn(prepare)];
        threads.map(|thread| thread.join().unwrap()).into()
    });
    let environments: Vec<_> = made.iter().map(|(made, _)| made.as_ref().unwrap()).collect();
    assert_eq!(environments[0], environments[1]);
    assert!(environments[0].programs.join("python").exists());
    let makers = made.iter().flat_map(|(_, said)| said).filter(|line| line.starts_with("making"));
    assert_eq!(makers.count(), 1);

    let (again, said) = prepare(&requirements, folder.path());
    assert_eq!(&again.unwrap(), environments[0]);
    assert!(said.is_empty(), "{said:?}");

    let marker = environments[0].programs.join("../spanproof-complete");
    fs::remove_file(&marker).unwrap();
    let (_, said) = prepare(&requirements, folder.path());
    assert!(said[0].starts_with("making a Python 3."), "{said:?}");
    assert!(marker.exists());
}

#[test]
fn what_pip_refuses_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let lock = "nothing @ file:///nonexistent/nothing-1.0-py3-none-any.whl --hash=sha256:00";
    let requirements = requirements(folder.path(), lock);
    let (result, _) = prepare(&requirements, folder.path());
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("cannot install the packages of python/test; "), "{error}");
    assert!(error.contains("nothing-1.0-py3-none-any.whl"), "{error}");
    let made =
        fs::read_dir(folder.path().join("python")).unwrap().map(|entry| entry.unwrap().path());
    let whole = made.filter(|made| made.join("spanproof-complete").exists());
    assert_eq!(whole.count(), 0, "it is not taken for whole afterwards");
}

#[test]
fn a_python_that_is_too_old_is_told_with_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let mut requirements = requirements(folder.path(), EMPTY_LOCK);
    requirements.minimum_version = Version { major: 99, minor: 0 };
    let error = prepare(&requirements, folder.path()).0.unwrap_err().to_string();
    let (before, after) = error.split_once("the newest found is 3.").unwrap();
    assert_eq!(before, "python/test needs Python 99.0 or newer on PATH, and ");
    assert!(after.contains(": install one from https://www.python.org/downloads "), "{after}");
}

#[test]
fn a_missing_lock_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut requirements = requirements(folder.path(), EMPTY_LOCK);
    requirements.lock = folder.path().join("other.lock");
    let error = prepare(&requirements, folder.path()).0.unwrap_err().to_string();
    assert!(error.starts_with("cannot read "), "{error}");
    assert!(error.contains("other.lock: No such file"), "{error}");
}

#[test]
fn a_command_names_the_environment_and_its_programs() {
    let folder = tempfile::tempdir().unwrap();
    let made = prepare(&requirements(folder.path(), EMPTY_LOCK), folder.path()).0.unwrap();
    let words = ["python", "-javaagent:{environment}/agent.jar", "python"].map(str::to_owned);
    let place = made.folder.display().to_string();
    assert_eq!(
        made.command(&words),
        [format!("{place}/bin/python"), format!("-javaagent:{place}/agent.jar"), "python".into()]
    );
    let elsewhere = made.command(&["no-such-program".to_owned()]);
    assert_eq!(elsewhere, ["no-such-program"], "it is looked up on the PATH");
}

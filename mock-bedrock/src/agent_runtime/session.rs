//! Sessions of agents: what was said in each, until it ends.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use spanproof_schemas::speed::Speed;

/// How long a session lives after its last turn when the request does not say: the default of
/// `idleSessionTTLInSeconds` as its documentation is remembered, which was not looked up again.
pub(crate) const IDLE: Duration = Duration::from_mins(10);

/// The most bytes of all that is remembered. Beyond it everything is forgotten: a load of sessions
/// that nobody ends must not grow memory without end.
const CAPACITY_BYTES: usize = 64 << 20;

/// The sessions of all agents.
#[derive(Debug)]
pub(crate) struct Sessions {
    speed: Speed,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    sessions: HashMap<SessionKey, Session>,
    bytes: usize,
}

/// Which session, by ids: each agent, and each test, has its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionKey {
    pub(super) test: Option<String>,
    pub(super) agent: String,
    pub(super) alias: String,
    pub(super) session: String,
}

#[derive(Debug)]
struct Session {
    expiry: Instant,
    messages: Vec<Remembered>,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) role: &'static str,
    pub(super) text: String,
}

impl Remembered {
    pub(super) fn user(text: impl Into<String>) -> Self {
        Remembered { role: "user", text: text.into() }
    }

    pub(super) fn assistant(text: impl Into<String>) -> Self {
        Remembered { role: "assistant", text: text.into() }
    }
}

impl Sessions {
    pub(crate) fn new(speed: Speed) -> Self {
        Sessions { speed, known: Mutex::default() }
    }

    /// What was said in a session before, the oldest first.
    pub(super) fn recall(&self, key: &SessionKey) -> Vec<Remembered> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let session = known.sessions.get(key).filter(|session| self.lives(session));
        session.map(|session| session.messages.clone()).unwrap_or_default()
    }

    /// Remembers what was said, for so long a time of silence.
    pub(super) fn remember(&self, key: SessionKey, said: Vec<Remembered>, idle: Duration) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.sessions.get(&key).is_some_and(|session| !self.lives(session)) {
            known.forget(|known| *known == key);
        }
        known.bytes += said.iter().map(|message| message.text.len()).sum::<usize>();
        if known.bytes > CAPACITY_BYTES {
            *known = Known::default();
            return;
        }
        let expiry = Instant::now() + self.speed.scale(idle);
        let session = known.sessions.entry(key).or_insert(Session { expiry, messages: Vec::new() });
        session.expiry = expiry;
        session.messages.extend(said);
    }

    /// Ends one session.
    pub(super) fn end(&self, key: &SessionKey) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget(|known| known == key);
    }

    /// Ends the sessions of a test, or all if none is named.
    pub(crate) fn forget(&self, test_id: Option<&str>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget(|key| test_id.is_none() || key.test.as_deref() == test_id);
    }

    /// At full speed no time passes.
    fn lives(&self, session: &Session) -> bool {
        self.speed == Speed::Max || session.expiry > Instant::now()
    }
}

impl Known {
    fn forget(&mut self, is_it: impl Fn(&SessionKey) -> bool) {
        self.sessions.retain(|key, _| !is_it(key));
        let sessions = self.sessions.values();
        let messages = sessions.flat_map(|session| &session.messages);
        self.bytes = messages.map(|message| message.text.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(test_id: Option<&str>, session_id: &str) -> SessionKey {
        SessionKey {
            test: test_id.map(str::to_owned),
            agent: "AGENT".to_owned(),
            alias: "ALIAS".to_owned(),
            session: session_id.to_owned(),
        }
    }

    #[test]
    fn a_session_remembers_until_it_is_ended() {
        let sessions = Sessions::new(Speed::Max);
        let (one, other) = (key(None, "one"), key(Some("test"), "one"));
        sessions.remember(one.clone(), vec![Remembered::user("a")], IDLE);
        sessions.remember(one.clone(), vec![Remembered::assistant("b")], IDLE);
        sessions.remember(other.clone(), vec![Remembered::user("c")], IDLE);
        assert_eq!(sessions.recall(&one), [Remembered::user("a"), Remembered::assistant("b")]);
        assert_eq!(sessions.recall(&key(None, "two")), []);
        sessions.end(&one);
        assert_eq!(sessions.recall(&one), []);
        assert_eq!(sessions.recall(&other), [Remembered::user("c")]);
        sessions.forget(Some("test"));
        assert_eq!(sessions.recall(&other), []);
        assert_eq!(sessions.known.lock().unwrap().bytes, 0);
    }

    #[test]
    fn a_session_ends_when_nothing_was_said_for_long() {
        let sessions = Sessions::new(Speed::Times(1.0));
        let one = key(None, "one");
        sessions.remember(one.clone(), vec![Remembered::user("a")], Duration::ZERO);
        assert_eq!(sessions.recall(&one), []);
        sessions.remember(one.clone(), vec![Remembered::user("b")], IDLE);
        assert_eq!(sessions.recall(&one), [Remembered::user("b")]);
    }

    #[test]
    fn memory_stays_bounded() {
        let sessions = Sessions::new(Speed::Max);
        let large = "a".repeat(CAPACITY_BYTES / 2 + 1);
        for number in 0..3 {
            let key = key(None, &number.to_string());
            sessions.remember(key, vec![Remembered::user(large.clone())], IDLE);
            assert!(sessions.known.lock().unwrap().bytes <= CAPACITY_BYTES);
        }
    }
}

//! How far a load is, for people who watch it.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use loadgen::Progress;
use spanproof_schemas::number::{counted, grouped, milliseconds};

use crate::progress::Shown;

/// Rates are those of so much time, so that they are steady enough to be read.
const RATE_OVER: Duration = Duration::from_secs(2);

/// How many seconds of started calls are drawn at the most, each as a bar.
const DRAWN_SECONDS: usize = 60;

/// How many columns the bar of the whole has at the most.
const BAR_COLUMNS: usize = 40;

/// How many it has at least.
const LEAST_BAR_COLUMNS: usize = 8;

/// In which column figures begin.
const INDENT: usize = 9;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a load is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noun {
    /// Calls, whose answers have tokens.
    Call,
    /// Synthetic traces, which nobody answers in tokens.
    Trace,
}

impl Noun {
    fn word(self) -> &'static str {
        match self {
            Noun::Call => "call",
            Noun::Trace => "trace",
        }
    }
}

/// What has been seen of a load so far.
#[derive(Debug)]
pub(super) struct Live {
    noun: Noun,
    /// How much simulated time the plan covers, where that is known before its end.
    length: Option<Duration>,
    now: Progress,
    spans: Option<u64>,
    /// Counts of the last seconds, from which rates follow.
    counts: VecDeque<Counted>,
    /// Calls started in each of the last seconds of real time that are over, and in this one.
    seconds: VecDeque<u64>,
    second: u64,
}

/// How many calls had come due and been started at a time.
#[derive(Clone, Copy, Debug)]
struct Counted {
    elapsed: Duration,
    due: u64,
    started: u64,
}

impl Live {
    pub(super) fn new(noun: Noun, length: Option<Duration>) -> Live {
        Live {
            noun,
            length,
            now: Progress::default(),
            spans: None,
            counts: VecDeque::new(),
            seconds: VecDeque::from([0]),
            second: 0,
        }
    }

    /// Takes in how many spans were received in the end.
    pub(super) fn received(&mut self, spans: Option<u64>) {
        self.spans = spans;
    }

    /// Takes in how far the load is, and how many spans were received, where that is known.
    pub(super) fn see(&mut self, now: Progress, spans: Option<u64>) {
        let second = now.elapsed.as_secs();
        for _ in self.second..second {
            self.seconds.push_back(0);
        }
        self.second = second.max(self.second);
        if let Some(started) = self.seconds.back_mut() {
            *started += now.started.saturating_sub(self.now.started);
        }
        while self.seconds.len() > DRAWN_SECONDS + 1 {
            self.seconds.pop_front();
        }
        let Progress { elapsed, due, started, .. } = now;
        self.counts.push_back(Counted { elapsed, due, started });
        // The one before the time that counts stays, since rates go from there.
        while self.counts.get(1).is_some_and(|next| next.elapsed + RATE_OVER <= elapsed) {
            self.counts.pop_front();
        }
        (self.now, self.spans) = (now, spans);
    }

    /// Calls per second that were handed to the client, and that were planned; the latter is nothing where calls have no times.
    fn rates(&self) -> (u64, Option<u64>) {
        let none = Counted { elapsed: Duration::ZERO, due: 0, started: 0 };
        let first = self.counts.front().copied().unwrap_or(none);
        let last = self.counts.back().copied().unwrap_or(none);
        let since = last.elapsed.saturating_sub(first.elapsed).as_millis().max(1);
        let per_second = |calls: u64| {
            let rate = (u128::from(calls) * 1_000 + since / 2) / since;
            u64::try_from(rate).unwrap_or(u64::MAX)
        };
        let planned = self.now.simulated.map(|_| per_second(last.due - first.due));
        (per_second(last.started - first.started), planned)
    }

    fn done(&self) -> u64 {
        let Progress { completed, failed, skipped, dropped, .. } = self.now;
        completed + failed + skipped + dropped
    }

    fn open(&self) -> u64 {
        let Progress { started, completed, failed, .. } = self.now;
        started.saturating_sub(completed + failed)
    }

    /// Answers that were errors, where there are answers, and calls that did not end as planned.
    fn errors(&self) -> String {
        let Progress { failed, errors, skipped, dropped, .. } = self.now;
        let answers = (self.noun == Noun::Call).then_some((errors, "answers"));
        let lost = [(skipped, "skipped"), (dropped, "dropped")];
        let shown = answers.into_iter().chain([(failed, "failed")]);
        let shown = shown.chain(lost.into_iter().filter(|(count, _)| *count > 0));
        let shown = shown.map(|(count, what)| format!("{} {what}", grouped(count)));
        shown.collect::<Vec<_>>().join(", ")
    }

    fn plural(&self) -> &'static str {
        match self.noun {
            Noun::Call => "calls",
            Noun::Trace => "traces",
        }
    }

    fn percent(&self) -> u64 {
        // Not 100 before the end.
        let whole = u128::from(self.now.intended.max(1));
        u64::try_from(u128::from(self.done()) * 100 / whole).unwrap_or(100).min(100)
    }

    /// How long it will take yet, going by simulated time.
    fn to_go(&self) -> Option<Duration> {
        let (length, simulated) = (self.length?, self.now.simulated?);
        let left = length.saturating_sub(simulated).as_secs_f64();
        let speed = simulated.as_secs_f64() / self.now.elapsed.as_secs_f64();
        (speed.is_finite() && speed > 0.0).then(|| Duration::from_secs_f64(left / speed))
    }

    fn times(&self) -> String {
        let mut text = String::new();
        if let Some(simulated) = self.now.simulated {
            let length = self.length.map(|length| format!(" of {}", clock(length)));
            let simulated = self.length.map_or(simulated, |length| length.min(simulated));
            let _ = write!(text, "{}{} simulated, ", clock(simulated), length.unwrap_or_default());
        }
        let _ = write!(text, "{} s", self.now.elapsed.as_secs());
        if let Some(to_go) = self.to_go() {
            let _ = write!(text, ", {} s to go", to_go.as_secs());
        }
        text
    }

    fn rate(&self) -> String {
        match self.rates() {
            (started, Some(planned)) => {
                format!("{}/s started, {}/s planned", grouped(started), grouped(planned))
            }
            (started, None) => format!("{}/s started", grouped(started)),
        }
    }

    fn tokens(&self) -> String {
        let tokens = self.now.tokens;
        let mut text = format!("{} in", grouped(tokens.all_input_tokens()));
        if tokens.cache_read_input_tokens > 0 {
            let _ = write!(text, " ({} cached)", grouped(tokens.cache_read_input_tokens));
        }
        let _ = write!(text, ", {} out", grouped(tokens.output_tokens));
        text
    }
}

impl Shown for Live {
    fn live(&self, columns: usize) -> String {
        let Progress { intended, completed, lag_ms, recent_lag_ms, latency_ms, usd, .. } = self.now;
        let answered = self.noun == Noun::Call;
        let lag = self.now.simulated.is_some().then(|| {
            format!(
                "{} now; {} p50, {} p99, {} max",
                milliseconds(recent_lag_ms.p99),
                milliseconds(lag_ms.p50),
                milliseconds(lag_ms.p99),
                milliseconds(lag_ms.max)
            )
        });
        let latency =
            format!("{} p50, {} p99", milliseconds(latency_ms.p50), milliseconds(latency_ms.p99));
        let ended = format!("{} open, {} completed", grouped(self.open()), grouped(completed));
        let done = format!(" {:>3} % of {}", self.percent(), counted(intended, self.noun.word()));
        let room = columns.saturating_sub(INDENT);
        let bar_columns = room.saturating_sub(done.len()).clamp(LEAST_BAR_COLUMNS, BAR_COLUMNS);
        let whole = bar(self.done(), intended, bar_columns) + &done;
        let lines = [
            ("load", Some(whole)),
            ("time", Some(self.times())),
            ("rate", Some(self.rate())),
            ("", sparks(&self.seconds, room.min(DRAWN_SECONDS))),
            ("lag", lag),
            ("latency", Some(latency)),
            (self.plural(), Some(ended)),
            ("errors", Some(self.errors())),
            ("spans", self.spans.map(|spans| format!("{} received", grouped(spans)))),
            ("tokens", answered.then(|| self.tokens())),
            ("spend", answered.then(|| dollars(usd))),
        ];
        let told = lines
            .into_iter()
            .filter_map(|(title, text)| text.map(|text| format!("{title:<INDENT$}{text}")));
        told.collect::<Vec<_>>().join("\n")
    }

    fn plain(&self) -> String {
        let Progress { completed, recent_lag_ms, usd, intended, elapsed, .. } = self.now;
        let mut text = format!(
            "{} % of {} in {} s: {} open, {} completed\n    errors: {}\n    {}",
            self.percent(),
            counted(intended, self.noun.word()),
            elapsed.as_secs(),
            grouped(self.open()),
            grouped(completed),
            self.errors(),
            self.rate(),
        );
        if self.now.simulated.is_some() {
            let _ = write!(text, ", lag {} p99", milliseconds(recent_lag_ms.p99));
        }
        if let Some(to_go) = self.to_go() {
            let _ = write!(text, ", {} s to go", to_go.as_secs());
        }
        let spans = self.spans.map(|spans| counted(spans, "span"));
        let answered = (self.noun == Noun::Call).then(|| {
            format!("{} tokens, {}", grouped(self.now.tokens.total_tokens()), dollars(usd))
        });
        let last: Vec<String> = spans.into_iter().chain(answered).collect();
        if !last.is_empty() {
            let _ = write!(text, "\n    {}", last.join(", "));
        }
        text
    }

    fn elapsed(&self) -> Duration {
        self.now.elapsed
    }
}

/// `part` of `whole` as a bar of so many columns, to an eighth of one.
fn bar(part: u64, whole: u64, columns: usize) -> String {
    const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = u128::from(part.min(whole)) * (columns as u128 * 8) / u128::from(whole.max(1));
    let eighths = usize::try_from(eighths).unwrap_or_default();
    let mut bar = "█".repeat(eighths / 8);
    bar.extend((eighths % 8).checked_sub(1).map(|eighth| EIGHTHS[eighth]));
    let filled = bar.chars().count();
    bar + &"░".repeat(columns - filled)
}

/// A bar for each of the last seconds that are over, at most so many, the highest of the greatest;
/// nothing in the first.
fn sparks(seconds: &VecDeque<u64>, most: usize) -> Option<String> {
    let over = seconds.len().checked_sub(1).filter(|over| *over > 0)?;
    let drawn = || seconds.iter().take(over).skip(over.saturating_sub(most));
    let greatest = drawn().max().copied().unwrap_or(0).max(1);
    let steps = BARS.len() as u64 - 1;
    let bar = |calls: &u64| BARS[usize::try_from(calls * steps / greatest).unwrap_or_default()];
    Some(drawn().map(bar).collect())
}

/// Hours and minutes, as on a clock.
fn clock(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn dollars(usd: f64) -> String {
    format!("${usd:.2}")
}

#[cfg(test)]
mod tests {
    use spanproof_schemas::ledger::Usage;
    use spanproof_schemas::report::Quantiles;

    use super::*;

    /// A day in a minute, `tenths` of a second after its start, with a rate that rises.
    fn at(tenths: u64) -> Progress {
        let done = tenths * tenths * 80_000 / 360_000;
        let quantiles = Quantiles { p50: 0.084, p99: 0.412, max: 12.34 };
        Progress {
            intended: 80_000,
            due: done + 14,
            started: done + 12,
            completed: done,
            lag_ms: quantiles,
            recent_lag_ms: Quantiles { p99: 0.377, ..quantiles },
            latency_ms: Quantiles { p50: 1.44, p99: 142.0, max: 900.0 },
            tokens: Usage {
                input_tokens: done * 800,
                output_tokens: done * 120,
                cache_read_input_tokens: done * 200,
                ..Usage::default()
            },
            usd: 0.000_52 * f64::from(u32::try_from(done).unwrap()),
            simulated: Some(Duration::from_millis(tenths * 144_000)),
            elapsed: Duration::from_millis(tenths * 100),
            ..Progress::default()
        }
    }

    fn seen(until: u64, change: impl Fn(&mut Progress)) -> Live {
        let mut live = Live::new(Noun::Call, Some(Duration::from_hours(24)));
        for tenths in (0..=until).step_by(2) {
            let mut now = at(tenths);
            change(&mut now);
            live.see(now, Some(now.completed * 4));
        }
        live
    }

    fn fits(text: &str, columns: usize) -> String {
        assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
        text.to_owned()
    }

    #[test]
    fn a_load_in_the_middle_shows_its_rate_against_the_plan_and_what_it_costs() {
        insta::assert_snapshot!(fits(&seen(426, |_| {}).live(80), 80));
    }

    #[test]
    fn a_narrow_terminal_has_shorter_bars_and_all_figures() {
        insta::assert_snapshot!(fits(&seen(500, |_| {}).live(60), 60));
    }

    #[test]
    fn calls_that_are_lost_are_told_by_why() {
        let live = seen(426, |now| {
            (now.failed, now.errors, now.skipped, now.dropped) = (1_207, 2_113, 80, 12_345);
            now.completed = now.completed.saturating_sub(1_207);
        });
        insta::assert_snapshot!(fits(&live.live(80), 80));
    }

    #[test]
    fn traces_as_fast_as_can_be_have_no_lag_no_planned_rate_and_no_tokens() {
        let mut live = Live::new(Noun::Trace, None);
        for tenths in 0..30 {
            live.see(Progress { simulated: None, due: 0, ..at(tenths * 10) }, Some(7));
        }
        insta::assert_snapshot!(fits(&live.live(80), 80));
    }

    #[test]
    fn a_log_is_told_the_same_in_a_few_lines() {
        insta::assert_snapshot!(fits(&seen(426, |_| {}).plain(), 80));
    }

    #[test]
    fn a_load_that_has_just_begun_or_has_nothing_to_do_divides_by_nothing() {
        let live = Live::new(Noun::Call, None);
        insta::assert_snapshot!(fits(&live.live(80), 80));
        assert_eq!(bar(5, 0, 40), bar(0, 1, 40));
    }
}

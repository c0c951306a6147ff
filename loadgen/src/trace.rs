//! Arrivals and lengths that somebody recorded, to be replayed.

use std::io::Read;
use std::time::{Duration, UNIX_EPOCH};

use csv::StringRecord;

/// The names of columns in public traces, in lower case without spaces and underscores.
const TIME: &[&str] = &["timestamp", "time", "arrivaltime", "arrivedat", "t"];
const TOKENS_IN: &[&str] =
    &["tokensin", "contexttokens", "requesttokens", "inputtokens", "prompttokens", "inputlength"];
const TOKENS_OUT: &[&str] = &[
    "tokensout",
    "generatedtokens",
    "responsetokens",
    "outputtokens",
    "completiontokens",
    "outputlength",
];

/// The longest prompt, in tokens; no model takes more.
const LONGEST_PROMPT: u32 = 2_000_000;

/// How a trace is replayed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplayConfig {
    /// Leaves out the start of the trace, so much of it in the trace's own time.
    pub skip: Duration,
    /// How much faster than recorded, in simulated time.
    pub speed: f64,
    /// Gaps that are longer, in simulated time and so after [`ReplayConfig::speed`], are cut to
    /// this.
    pub longest_gap: Option<Duration>,
    /// Leaves out what comes later in simulated time.
    pub length: Option<Duration>,
}

impl Default for ReplayConfig {
    fn default() -> Self {
        Self { skip: Duration::ZERO, speed: 1.0, longest_gap: None, length: None }
    }
}

/// A recorded trace of calls, in order of time, the first at the start of simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    calls: Vec<Recorded>,
}

/// One recorded call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// From the start of simulated time.
    pub(crate) at_nanos: u64,
    /// How long the prompt was.
    pub(crate) tokens_in: u32,
    /// How long the answer was, one at least.
    pub(crate) tokens_out: u32,
}

/// A trace that cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The text is not CSV, or could not be read.
    #[error("cannot read the trace: {0}")]
    Csv(#[from] csv::Error),
    /// The header misses a column.
    #[error(
        "the trace has no column `{name}`: name it in the header, or leave the header out and write time, tokens in, tokens out"
    )]
    NoColumn {
        /// What it may be called.
        name: &'static str,
    },
    /// A value cannot be used.
    #[error("line {line} of the trace: `{value}` is not {wanted}")]
    Value {
        /// The line, from 1.
        line: u64,
        /// What stands there.
        value: String,
        /// What should.
        wanted: &'static str,
    },
    /// Nothing is left to replay.
    #[error("the trace has no call in what is to be replayed")]
    Empty,
}

impl Trace {
    /// Reads a trace from CSV: a line per call with its time, in seconds or as a date with a time,
    /// and how many tokens went in and out. A header may name the columns, then in any order and
    /// among others; the names of the public traces of Azure and `BurstGPT` are known. Lines need
    /// not be in order.
    ///
    /// # Errors
    ///
    /// When it is not CSV, a value is not what it should be, or no call is left.
    pub fn read(source: impl Read, config: ReplayConfig) -> Result<Trace, TraceError> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(source);
        let (mut columns, mut rows) = (None, Vec::new());
        for record in reader.records() {
            let record = record?;
            let columns = match &columns {
                Some(columns) => columns,
                None if record.get(0).and_then(seconds).is_some() => columns.insert(Columns::BARE),
                None => {
                    columns = Some(Columns::named_by(&record)?);
                    continue;
                }
            };
            rows.push(columns.row(&record)?);
        }
        // Equal times stay in the order of their lines.
        rows.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let calls = replayed(&rows, config);
        if calls.is_empty() { Err(TraceError::Empty) } else { Ok(Trace { calls }) }
    }

    pub(crate) fn calls(&self) -> &[Recorded] {
        &self.calls
    }
}

/// Moves the rows to simulated time.
fn replayed(rows: &[Row], config: ReplayConfig) -> Vec<Recorded> {
    let start = rows.first().map_or(0.0, |row| row.seconds) + config.skip.as_secs_f64();
    let longest_gap = config.longest_gap.map_or(f64::INFINITY, |gap| gap.as_secs_f64());
    let length = config.length.map_or(f64::INFINITY, |length| length.as_secs_f64());
    let (mut last, mut at) = (None, 0.0);
    rows.iter()
        .filter(|row| row.seconds >= start)
        .map(|row| {
            let gap = (row.seconds - last.unwrap_or(row.seconds)) / config.speed;
            last = Some(row.seconds);
            at += gap.min(longest_gap);
            (at, row)
        })
        .take_while(|(at, _)| *at < length)
        .map(|(at, row)| Recorded {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not below zero, and the cast saturates"
            )]
            at_nanos: (at * 1e9).round() as u64,
            tokens_in: row.tokens_in,
            // Failed calls stand in traces with no tokens at all, which no request can ask for.
            tokens_out: row.tokens_out.max(1),
        })
        .collect()
}

/// A line of a trace.
struct Row {
    seconds: f64,
    tokens_in: u32,
    tokens_out: u32,
}

/// Where the values stand.
#[derive(Clone, Copy)]
struct Columns {
    time: usize,
    tokens_in: usize,
    tokens_out: usize,
}

impl Columns {
    /// Those of a trace without a header.
    const BARE: Columns = Columns { time: 0, tokens_in: 1, tokens_out: 2 };

    fn named_by(header: &StringRecord) -> Result<Columns, TraceError> {
        let place = |names: &[&str], name| {
            let is_named = |field: &str| {
                let field = field.trim_start_matches('\u{feff}').to_lowercase();
                names.contains(&field.replace(['_', ' '], "").as_str())
            };
            header.iter().position(is_named).ok_or(TraceError::NoColumn { name })
        };
        Ok(Columns {
            time: place(TIME, "time")?,
            tokens_in: place(TOKENS_IN, "tokens_in")?,
            tokens_out: place(TOKENS_OUT, "tokens_out")?,
        })
    }

    fn row(self, record: &StringRecord) -> Result<Row, TraceError> {
        let field = |column| record.get(column).unwrap_or_default();
        let refused = |column, wanted| TraceError::Value {
            line: record.position().map_or(0, csv::Position::line),
            value: field(column).to_owned(),
            wanted,
        };
        let tokens = |column| {
            let wanted = "a number of tokens from 0 to 2000000";
            let tokens = field(column).parse().ok().filter(|tokens| *tokens <= LONGEST_PROMPT);
            tokens.ok_or_else(|| refused(column, wanted))
        };
        let wanted = "a time in seconds, or such as `2023-11-16 18:17:03.98`";
        Ok(Row {
            seconds: seconds(field(self.time)).ok_or_else(|| refused(self.time, wanted))?,
            tokens_in: tokens(self.tokens_in)?,
            tokens_out: tokens(self.tokens_out)?,
        })
    }
}

/// A time in seconds, from wherever the trace counts.
fn seconds(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        // Beyond this a nanosecond count no longer fits.
        return (seconds.abs() < 1e10).then_some(seconds);
    }
    let text = text.strip_suffix("+00:00").unwrap_or(text);
    let time = humantime::parse_rfc3339_weak(text).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, config: ReplayConfig) -> Vec<(u64, u32, u32)> {
        let trace = Trace::read(text.as_bytes(), config).unwrap();
        let told = |call: &Recorded| (call.at_nanos / 1_000_000, call.tokens_in, call.tokens_out);
        trace.calls().iter().map(told).collect()
    }

    #[test]
    fn the_columns_of_public_traces_are_known() {
        let calls = [(0, 374, 44), (4_540, 396, 109)];
        for trace in [
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:51.2205900,396,109\n",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,374,44\n2024-05-10 00:00:04.549930+00:00,396,109\n",
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,GPT-4,374,44,418,API log\n9.54,GPT-4,396,109,505,\"API, log\"\n",
            "9.54,396,109\r\n5,374,44\r\n",
            "\u{feff}output_tokens,time,input_tokens\n44,100,374\n109,104.54,396",
        ] {
            assert_eq!(read(trace, ReplayConfig::default()), calls, "{trace}");
        }
    }

    #[test]
    fn time_is_skipped_scaled_and_cut_in_this_order() {
        let trace = "0,1,1\n100,2,2\n110,3,3\n1110,4,0\n1120,5,5\n9999,6,6\n";
        let config = ReplayConfig {
            skip: Duration::from_secs(50),
            speed: 10.0,
            longest_gap: Some(Duration::from_secs(30)),
            length: Some(Duration::from_secs(40)),
        };
        assert_eq!(read(trace, config), [(0, 2, 2), (1_000, 3, 3), (31_000, 4, 1), (32_000, 5, 5)]);
        let fast = ReplayConfig { speed: 1e6, ..ReplayConfig::default() };
        assert_eq!(read(trace, fast).last(), Some(&(9, 6, 6)));
    }

    #[test]
    fn what_cannot_be_replayed_is_told() {
        let past_its_end = ReplayConfig { skip: Duration::from_secs(9), ..ReplayConfig::default() };
        let said: String = [
            ("", ReplayConfig::default()),
            ("1,2,3\n", past_its_end),
            ("when,tokens_in,tokens_out\n1,2,3\n", ReplayConfig::default()),
            ("time,tokens_in\n1,2\n", ReplayConfig::default()),
            ("1,2,3\n2,x,3\n", ReplayConfig::default()),
            ("1,2,3\nnoon,2,3\n", ReplayConfig::default()),
            ("1,2,3\n2,2,-3\n", ReplayConfig::default()),
            ("1,2,3\n2,2\n", ReplayConfig::default()),
        ]
        .into_iter()
        .map(|(text, config)| Trace::read(text.as_bytes(), config).unwrap_err().to_string())
        .collect::<Vec<String>>()
        .join("\n");
        insta::assert_snapshot!(said);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            lines in "([0-9a-z.,: -]{0,20}\n){0,9}",
        ) {
            let _ = Trace::read(bytes.as_slice(), ReplayConfig::default());
            let _ = Trace::read(lines.as_bytes(), ReplayConfig::default());
        }
    }
}

//! Settling calls while more comes in says the same as settling all of them at the end, as long as
//! what belongs together is at most a window apart.

use conformance_core::otlp::{self, SpanKind};
use conformance_core::{Intake, Judge, Judgement, Redaction, Settings};
use proptest::collection::vec;
use proptest::prelude::*;
use spanproof_schemas::ledger::{Record, Task, Usage};

use crate::made::{EPOCH, MILLI, Tie, count, exchange, key_value, spans, text};
use crate::{export, run};

/// The window of the judges that settle early, in GenAI spans: two generations. What belongs together
/// is less than 20 calls apart, and no call has more than 4 of them, so that it is within one.
const WINDOW: usize = 160;

/// Calls start so long after each other.
const STEP_MS: u64 = 10;

/// Arrivals are off by up to so much.
const JITTER_MS: u64 = 60;

/// What is odd about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Oddity {
    Nothing,
    /// Its span is not exported.
    NoSpan,
    /// Its span is not exported, and one below it is.
    Unended,
    /// There is no exchange for its span.
    NoExchange,
    /// It failed, and never reached the service.
    Failed,
    /// A second span with the same keys.
    Second,
    /// A second span within the first.
    Inside,
    /// A second span that has nothing but its time, model and tokens.
    Alike,
    /// Its span is exported twice.
    Repeated,
    /// The request was tried twice.
    Retried,
    /// The span states other tokens than were served.
    Wrong,
    /// The span ends before the answer.
    Early,
    /// Another span, or a tool's, is put below its own after that ended.
    LateChild(bool),
    /// The parent of its span is the span of the call before.
    BelowCall,
    /// Its span has a parent that is never exported.
    LostParent,
    /// It has events, one choice too many.
    Events,
    /// An event with the id of a span that is no GenAI span.
    Astray,
}

const ODDITIES: &[Oddity] = &[
    Oddity::NoSpan,
    Oddity::Unended,
    Oddity::NoExchange,
    Oddity::Failed,
    Oddity::Second,
    Oddity::Inside,
    Oddity::Alike,
    Oddity::Repeated,
    Oddity::Retried,
    Oddity::Wrong,
    Oddity::Early,
    Oddity::LateChild(false),
    Oddity::LateChild(true),
    Oddity::BelowCall,
    Oddity::LostParent,
    Oddity::Events,
    Oddity::Astray,
];

/// What is around some calls.
#[derive(Clone, Copy, Debug)]
enum Around {
    Nothing,
    /// A span of the application.
    Root,
    /// An agent below that, with the tokens of its calls or others.
    Agent(bool),
    /// An agent beside which the calls were made.
    Beside,
    /// An agent that the service runs: its span is the call's.
    Service,
}

#[derive(Clone, Debug)]
struct Call {
    tie: Tie,
    length_ms: u64,
    oddity: Oddity,
}

#[derive(Clone, Debug)]
struct Group {
    around: Around,
    calls: Vec<Call>,
}

fn call(is_any: bool) -> impl Strategy<Value = Call> {
    let sure = prop_oneof![
        3 => Just(Tie::InvocationId),
        3 => Just(Tie::CurrentSpan),
        1 => Just(Tie::Transport),
    ];
    let tie = prop_oneof![
        6 => sure,
        u32::from(is_any) => prop_oneof![Just(Tie::RequestId), Just(Tie::Time)],
    ];
    // Further spans of a call are settled with it.
    let decided =
        [Oddity::Second, Oddity::Inside, Oddity::Alike, Oddity::Repeated, Oddity::LostParent];
    let odd = if is_any { ODDITIES.to_vec() } else { decided.to_vec() };
    let oddity = prop_oneof![4 => Just(Oddity::Nothing), 1 => prop::sample::select(odd)];
    (tie, 20..60_u64, oddity).prop_map(|(tie, length_ms, oddity)| Call { tie, length_ms, oddity })
}

fn groups(is_any: bool) -> impl Strategy<Value = Vec<Group>> {
    let around = prop_oneof![
        4 => Just(Around::Nothing),
        2 => Just(Around::Root),
        1 => any::<bool>().prop_map(Around::Agent),
        1 => Just(Around::Beside),
        u32::from(is_any) => Just(Around::Service),
    ];
    let group = (around, vec(call(is_any), 1..5));
    let group = group.prop_map(|(around, calls)| Group { around, calls });
    vec(group, 100..140)
}

/// Part of what a judge takes in.
#[derive(Clone, Debug)]
enum Sent {
    Exchange(Record),
    Span(Box<otlp::Span>),
    Event(Box<otlp::LogRecord>),
}

/// Everything, each with the time at which it came.
fn sent(groups: &[Group]) -> Vec<(u64, Sent)> {
    let mut all = Vec::new();
    let mut n = 0;
    for group in groups {
        let first = n;
        let begun = first as u64 * STEP_MS;
        for call in &group.calls {
            send_call(n, call, group.around, first, &mut all);
            n += 1;
        }
        let end =
            group.calls.iter().map(|call| call.length_ms).max().unwrap_or(0) + (n as u64) * STEP_MS;
        let span = |id, parent, name: &str| otlp::Span {
            start_time_unix_nano: EPOCH + begun.saturating_sub(2) * MILLI,
            end_time_unix_nano: EPOCH + (end + 2) * MILLI,
            ..other(first, id, parent, name)
        };
        let root = span(ROOT, 0, "GET /");
        match group.around {
            Around::Nothing | Around::Service => {}
            Around::Root => all.push((end, Sent::Span(Box::new(root)))),
            Around::Agent(is_right) => {
                let tokens = group.calls.len() as u64 * 7 + u64::from(!is_right);
                let mut agent = span(AGENT, ROOT, "invoke_agent weather");
                agent.attributes = vec![
                    key_value("gen_ai.operation.name", text("invoke_agent")),
                    key_value("gen_ai.provider.name", text("aws.bedrock")),
                    key_value("gen_ai.usage.output_tokens", count(tokens)),
                ];
                all.push((end, Sent::Span(Box::new(root))));
                all.push((end, Sent::Span(Box::new(agent))));
            }
            Around::Beside => {
                let mut agent = span(AGENT, ROOT, "invoke_agent weather");
                agent.attributes = vec![
                    key_value("gen_ai.operation.name", text("invoke_agent")),
                    key_value("gen_ai.provider.name", text("aws.bedrock")),
                ];
                all.push((end, Sent::Span(Box::new(agent))));
            }
        }
    }
    all
}

const ROOT: u64 = 2_000_000;
const AGENT: u64 = 3_000_000;
const LOST: u64 = 4_000_000;
const FURTHER: u64 = 5_000_000;
const CHILD: u64 = 6_000_000;

/// A span of the trace of call `n` that is no GenAI span.
fn other(n: usize, id: u64, parent: u64, name: &str) -> otlp::Span {
    let trace = n as u64 + 1;
    let of = |id: u64| if id == 0 { Vec::new() } else { (id + trace).to_be_bytes().to_vec() };
    otlp::Span {
        trace_id: u128::from(trace).to_be_bytes().to_vec(),
        span_id: of(id),
        parent_span_id: of(parent),
        name: name.to_owned(),
        kind: SpanKind::Internal as i32,
        ..otlp::Span::default()
    }
}

#[expect(clippy::too_many_lines, reason = "one oddity after the other")]
fn send_call(n: usize, call: &Call, around: Around, first: usize, all: &mut Vec<(u64, Sent)>) {
    let oddity = call.oddity;
    let mut made = crate::made::call(n as u64 * STEP_MS, call.length_ms, call.tie);
    // No two neighbours have the same tokens.
    made.usage.input_tokens = 5 + n as u64 % 50;
    let own = n as u64 + 1;
    let trace = u128::from(first as u64 + 1).to_be_bytes().to_vec();
    let (shares_trace, parent) = match around {
        Around::Root => (true, ROOT + first as u64 + 1),
        Around::Agent(_) => (true, AGENT + first as u64 + 1),
        Around::Nothing | Around::Beside | Around::Service => (false, 0),
    };
    let end = made.start_ms + made.length_ms;
    if oddity != Oddity::NoExchange && oddity != Oddity::Failed {
        let mut record = exchange(n, &made);
        let Record::Exchange(served) = &mut record else { return };
        if let Some(context) = &mut served.trace_context
            && shares_trace
        {
            context.trace_id = format!("{:032x}", first + 1);
        }
        if matches!(around, Around::Service) {
            served.task = Task::InvokeAgent;
        }
        if oddity == Oddity::Retried {
            let mut refused = served.clone();
            refused.sequence += 1_000_000;
            refused.status = 500;
            refused.exception = Some("InternalServerException".to_owned());
            refused.finished_unix_nanos = refused.arrived_unix_nanos + MILLI;
            refused.usage = Usage::default();
            refused.request_id = format!("refused-{n}");
            served.attempt = Some(2);
            all.push((made.start_ms + 4, Sent::Exchange(Record::Exchange(refused))));
        }
        all.push((end - 3, Sent::Exchange(record)));
    }
    let mut spans = spans(n, &made);
    for span in &mut spans {
        if shares_trace {
            span.trace_id.clone_from(&trace);
        }
    }
    if shares_trace {
        spans[0].parent_span_id = parent.to_be_bytes().to_vec();
    }
    if matches!(around, Around::Service) {
        spans[0].attributes[0] = key_value("gen_ai.operation.name", text("invoke_agent"));
    }
    let mut more = Vec::new();
    let child = |span: &otlp::Span, id: u64| otlp::Span {
        span_id: (id + own).to_be_bytes().to_vec(),
        parent_span_id: span.span_id.clone(),
        attributes: Vec::new(),
        kind: SpanKind::Internal as i32,
        ..span.clone()
    };
    match oddity {
        Oddity::Unended => more.push(child(&spans[0], CHILD)),
        Oddity::Failed => {
            let code = otlp::StatusCode::Error as i32;
            spans[0].status = Some(otlp::Status { code, ..otlp::Status::default() });
        }
        Oddity::Second => {
            more.push(otlp::Span {
                span_id: (FURTHER + own).to_be_bytes().to_vec(),
                ..spans[0].clone()
            });
        }
        Oddity::Inside => more.push(otlp::Span {
            attributes: spans[0].attributes[..5].to_vec(),
            ..child(&spans[0], FURTHER)
        }),
        Oddity::Alike => more.push(otlp::Span {
            trace_id: u128::from(FURTHER + own).to_be_bytes().to_vec(),
            span_id: (FURTHER + own).to_be_bytes().to_vec(),
            parent_span_id: Vec::new(),
            attributes: spans[0].attributes[..7].to_vec(),
            ..spans[0].clone()
        }),
        Oddity::Repeated => more.push(spans[0].clone()),
        Oddity::Wrong => spans[0].attributes[5] = key_value("gen_ai.usage.input_tokens", count(1)),
        Oddity::Early => spans[0].end_time_unix_nano -= 15 * MILLI,
        Oddity::LateChild(is_tool) => {
            let mut late = child(&spans[0], CHILD);
            late.start_time_unix_nano = spans[0].end_time_unix_nano + 20 * MILLI;
            late.end_time_unix_nano = late.start_time_unix_nano + MILLI;
            if is_tool {
                late.attributes = vec![key_value("gen_ai.operation.name", text("execute_tool"))];
            }
            more.push(late);
        }
        Oddity::BelowCall => spans[0].parent_span_id = (own - 1).to_be_bytes().to_vec(),
        Oddity::LostParent => spans[0].parent_span_id = (LOST + own).to_be_bytes().to_vec(),
        Oddity::Events | Oddity::Astray => {
            if oddity == Oddity::Astray {
                more.push(child(&spans[0], CHILD));
            }
            let of = more.first().unwrap_or(&spans[0]);
            for event in 0..2 {
                let record = otlp::LogRecord {
                    event_name: "gen_ai.choice".to_owned(),
                    time_unix_nano: of.start_time_unix_nano + event,
                    trace_id: of.trace_id.clone(),
                    span_id: of.span_id.clone(),
                    ..otlp::LogRecord::default()
                };
                all.push((made.start_ms + event * 30, Sent::Event(Box::new(record))));
            }
        }
        Oddity::Nothing | Oddity::NoSpan | Oddity::NoExchange | Oddity::Retried => {}
    }
    if matches!(oddity, Oddity::NoSpan | Oddity::Unended) {
        spans.remove(0);
    }
    let spans = spans.into_iter().chain(more);
    all.extend(spans.map(|span| (end, Sent::Span(Box::new(span)))));
}

fn judge(window: usize) -> Judge {
    let mut settings = Settings::default();
    settings.redaction = Redaction::ContentAllowed;
    let mut judge = Judge::with_window(settings, window);
    judge.ledger(run());
    judge
}

fn logs(record: &otlp::LogRecord) -> otlp::ExportLogsServiceRequest {
    let scope_logs =
        vec![otlp::ScopeLogs { log_records: vec![record.clone()], ..otlp::ScopeLogs::default() }];
    otlp::ExportLogsServiceRequest {
        resource_logs: vec![otlp::ResourceLogs { scope_logs, ..otlp::ResourceLogs::default() }],
    }
}

fn give(judge: &mut Judge, sent: &Sent) {
    match sent {
        Sent::Exchange(record) => judge.ledger(record.clone()),
        Sent::Span(span) => judge.traces(&export((**span).clone())),
        Sent::Event(record) => judge.logs(&logs(record)),
    }
}

fn give_part(intake: &mut Intake, sent: &Sent) {
    match sent {
        Sent::Exchange(_) => {}
        Sent::Span(span) => intake.traces(&export((**span).clone())),
        Sent::Event(record) => intake.logs(&logs(record)),
    }
}

/// The same in the order of arrival, which is off by the jitters.
fn arrived(sent: &[(u64, Sent)], jitters: &[u64]) -> Vec<Sent> {
    let mut timed: Vec<(u64, &Sent)> = sent
        .iter()
        .zip(jitters.iter().cycle())
        .map(|((time, sent), jitter)| (time + jitter, sent))
        .collect();
    timed.sort_by_key(|(time, _)| *time);
    timed.into_iter().map(|(_, sent)| sent.clone()).collect()
}

/// The lines in which two judgements differ; they are too long to be shown whole.
fn differences(one: &Judgement, other: &Judgement) -> Vec<String> {
    if one == other {
        return Vec::new();
    }
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let (one, other): (Vec<&str>, Vec<&str>) = (one.lines().collect(), other.lines().collect());
    let lacks = |lines: &[&str], line: &&str| !lines.contains(line);
    let gone = other.iter().filter(|line| lacks(&one, line)).map(|line| format!("-{line}"));
    let new = one.iter().filter(|line| lacks(&other, line)).map(|line| format!("+{line}"));
    let more =
        (one.len() != other.len()).then(|| format!("{} lines for {}", one.len(), other.len()));
    gone.chain(new).chain(more).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn settling_early_says_the_same_as_settling_at_the_end(
        groups in groups(true),
        jitters in vec(0..JITTER_MS, 997),
        others in vec(0..JITTER_MS, 991),
        parts in vec(1..40_usize, 1..20),
    ) {
        let sent = sent(&groups);
        let mut whole = judge(Judge::WINDOW);
        for (_, sent) in &sent {
            give(&mut whole, sent);
        }
        let whole = whole.finish();

        let mut early = judge(WINDOW);
        for sent in &arrived(&sent, &jitters) {
            give(&mut early, sent);
        }
        prop_assert!(early.held() < sent.len(), "nothing was settled");
        prop_assert_eq!(differences(&early.finish(), &whole), Vec::<String>::new());

        // The ledger comes first, and the telemetry in parts.
        let mut parted = judge(WINDOW);
        let (ledger, telemetry): (Vec<Sent>, Vec<Sent>) = arrived(&sent, &others)
            .into_iter()
            .partition(|sent| matches!(sent, Sent::Exchange(_)));
        for sent in &ledger {
            give(&mut parted, sent);
        }
        let mut sizes = parts.iter().cycle();
        let mut rest = telemetry.as_slice();
        while !rest.is_empty() {
            let size = *sizes.next().unwrap();
            let (part, further) = rest.split_at(size.min(rest.len()));
            let mut intake = parted.intake();
            for sent in part {
                give_part(&mut intake, sent);
            }
            parted.merge(&mut intake);
            rest = further;
        }
        prop_assert_eq!(differences(&parted.finish(), &whole), Vec::<String>::new());
    }

    /// Every span is found by invocation id or carried, twice over, with agents around some.
    #[test]
    fn what_is_kept_does_not_grow_where_calls_tell_their_spans(
        groups in groups(false),
        jitters in vec(0..JITTER_MS, 997),
    ) {
        let mut judge = judge(WINDOW);
        for (at, sent) in arrived(&sent(&groups), &jitters).iter().enumerate() {
            give(&mut judge, sent);
            prop_assert!(judge.held() <= 4 * WINDOW, "{} after {at}", judge.held());
        }
    }
}

//! Figures as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::load::Load;
use super::trial::Trial;
use crate::dev::bench::median;

/// Everything that was seen in one run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Processors that the servers and the client shared.
    pub(super) cores: usize,
    /// Connections that each had one request in flight.
    pub(super) connections: usize,
    /// Each measured this often, in turn.
    pub(super) rounds: usize,
    /// For so many seconds each time, after a warm-up.
    pub(super) seconds: f64,
    pub(super) servers: Vec<Server>,
}

/// A server and its figures, or the reason why there are none.
#[derive(Debug, Serialize)]
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) version: String,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Outcome {
    Measured {
        converse: Figures,
        converse_stream: Figures,
        peak_memory_mib: f64,
        /// What clients would stumble over in its answers.
        notes: Vec<String>,
    },
    NotMeasured {
        not_measured: String,
    },
}

/// Of one operation; medians, and the rounds that they are of.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    requests_per_second: f64,
    cpu_us_per_request: f64,
    requests_per_second_rounds: Vec<f64>,
    cpu_us_per_request_rounds: Vec<f64>,
    answer_bytes: usize,
    /// None for a buffered answer.
    frames: usize,
}

impl Figures {
    pub(super) fn new(trial: &Trial, loads: &[Load]) -> Figures {
        let per_second: Vec<f64> = loads.iter().map(|load| load.requests_per_second).collect();
        let cpu: Vec<f64> = loads.iter().map(|load| load.cpu_us_per_request).collect();
        Figures {
            requests_per_second: median(&mut per_second.clone()),
            cpu_us_per_request: median(&mut cpu.clone()),
            requests_per_second_rounds: per_second,
            cpu_us_per_request_rounds: cpu,
            answer_bytes: trial.body.len(),
            frames: trial.frames,
        }
    }
}

impl Report {
    /// The table, with what keeps a server out of it and what is wrong with its answers below.
    pub(super) fn table(&self) -> String {
        let mut table = format!(
            "{:<27}{:>11}{:>9}{:>8}  {:>16}{:>9}{:>8}{:>8}{:>9}\n",
            "",
            "Converse/s",
            "CPU µs",
            "bytes",
            "ConverseStream/s",
            "CPU µs",
            "bytes",
            "frames",
            "MiB peak"
        );
        let mut below = String::new();
        for Server { name, version, outcome } in &self.servers {
            let name = format!("{name} {version}");
            match outcome {
                Outcome::Measured { converse, converse_stream, peak_memory_mib, notes } => {
                    // Writing to a string does not fail.
                    let _ = writeln!(
                        table,
                        "{name:<27}{:>11.0}{:>9.1}{:>8}  {:>16.0}{:>9.1}{:>8}{:>8}{:>9.0}",
                        converse.requests_per_second,
                        converse.cpu_us_per_request,
                        converse.answer_bytes,
                        converse_stream.requests_per_second,
                        converse_stream.cpu_us_per_request,
                        converse_stream.answer_bytes,
                        converse_stream.frames,
                        peak_memory_mib,
                    );
                    for note in notes {
                        let _ = writeln!(below, "{}: {note}", name.trim());
                    }
                }
                Outcome::NotMeasured { not_measured } => {
                    let _ = writeln!(below, "{} was not measured: {not_measured}", name.trim());
                }
            }
        }
        table + &below + &self.ratios()
    }

    /// Ours beside the ceiling and the fastest peer. The ceiling is the first server and ours the
    /// second.
    fn ratios(&self) -> String {
        let measured = |server: &Server| match &server.outcome {
            Outcome::Measured { converse, converse_stream, .. } => Some([
                [converse.requests_per_second, converse_stream.requests_per_second],
                [converse.cpu_us_per_request, converse_stream.cpu_us_per_request],
            ]),
            Outcome::NotMeasured { .. } => None,
        };
        let [ceiling, ours, peers @ ..] = &self.servers[..] else { return String::new() };
        let (Some(ceiling), Some(ours)) = (measured(ceiling), measured(ours)) else {
            return String::new();
        };
        let mut text = String::new();
        for (number, operation) in ["Converse", "ConverseStream"].into_iter().enumerate() {
            let _ = write!(
                text,
                "{operation}: {:.2} of the bare server's requests/s, {:.2} times its CPU per request",
                ours[0][number] / ceiling[0][number],
                ours[1][number] / ceiling[1][number],
            );
            let fastest = peers
                .iter()
                .filter_map(|peer| Some((peer.name, measured(peer)?)))
                .max_by(|one, other| one.1[0][number].total_cmp(&other.1[0][number]));
            if let Some((name, peer)) = fastest {
                let _ = write!(
                    text,
                    "; {:.1} times the requests/s of {name}, the fastest peer, with {:.2} of its CPU per request",
                    ours[0][number] / peer[0][number],
                    ours[1][number] / peer[1][number],
                );
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &'static str, per_second: f64, notes: &[&str]) -> Server {
        let figures = |per_second: f64, frames: usize| {
            let trial = Trial { body: vec![0; 400], frames, notes: Vec::new() };
            let loads = [1.0, 3.0, 0.5].map(|factor| Load {
                requests_per_second: per_second * factor,
                cpu_us_per_request: 1e6 / (per_second * factor),
            });
            Figures::new(&trial, &loads)
        };
        let outcome = Outcome::Measured {
            converse: figures(per_second, 0),
            converse_stream: figures(per_second / 4.0, 20),
            peak_memory_mib: 30.0,
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        };
        Server { name, version: "1.0".to_owned(), outcome }
    }

    fn report() -> Report {
        let not_measured = "npm is not there".to_owned();
        let outcome = Outcome::NotMeasured { not_measured };
        Report {
            cores: 2,
            connections: 32,
            rounds: 3,
            seconds: 4.0,
            servers: vec![
                server("bare", 100_000.0, &[]),
                server("ours", 75_000.0, &[]),
                server("slow", 2_000.0, &["no text"]),
                server("quick", 30_000.0, &[]),
                Server { name: "absent", version: "2.0".to_owned(), outcome },
            ],
        }
    }

    #[test]
    fn the_table_has_medians_and_names_who_is_missing() {
        insta::assert_snapshot!(report().table());
    }

    #[test]
    fn the_json_tells_figures_or_the_reason() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["servers"][1]["converse"]["requests_per_second"], 75_000.0);
        assert_eq!(json["servers"][1]["converse"]["requests_per_second_rounds"][1], 225_000.0);
        assert_eq!(json["servers"][4]["not_measured"], "npm is not there");
    }
}

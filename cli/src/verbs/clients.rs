//! `spanproof clients`

use conformance::report::listed;
use loadgen::Capabilities;
use serde::Serialize;

use crate::clients::{self, Offered};
use crate::exit::{Failure, Outcome};
use crate::output;

pub(crate) fn run() -> Result<Outcome, Failure> {
    let offered = clients::offered()?;
    let texts: Vec<String> = offered.iter().map(describe).collect();
    let items = offered.iter().zip(&texts);
    let items = items.map(|(client, text)| [&*client.name, client.language, text]);
    output::show(listed(items, output::style()))?;
    Ok(Outcome::Conforms)
}

fn describe(client: &Offered) -> String {
    format!("{}; {}", client.summary, can(&client.capabilities))
}

/// What a client can do, in words.
fn can(capabilities: &Capabilities) -> String {
    let Capabilities { operations, families, features } = capabilities;
    let all = Capabilities::all();
    let calls = some(operations, all.operations.len(), "every operation");
    let of = some(families, all.families.len(), "every family");
    let lacking: Vec<_> = all.features.iter().filter(|it| !features.contains(it)).collect();
    let without = if lacking.is_empty() { "" } else { ", without " };
    let lacking = words(&lacking);
    format!("calls {calls} of {of}{without}{lacking}")
}

fn some(names: &[impl Serialize], there_are: usize, all: &str) -> String {
    if names.len() == there_are { all.to_owned() } else { words(names) }
}

/// Names as manifests have them.
fn words(names: &[impl Serialize]) -> String {
    let name = |name| {
        let json = serde_json::to_value(name).unwrap_or_default();
        json.as_str().unwrap_or_default().replace('_', " ")
    };
    names.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use loadgen::{Family, Feature};
    use spanproof_schemas::worker::Operation;

    use super::*;

    #[test]
    fn what_a_client_cannot_do_is_said() {
        let mut capabilities = Capabilities::all();
        assert_eq!(can(&capabilities), "calls every operation of every family");
        capabilities.operations = vec![Operation::InvokeModel];
        capabilities.families = vec![Family::Claude, Family::TitanEmbeddings];
        capabilities.features.retain(|it| !matches!(it, Feature::CachePoints | Feature::Faults));
        assert_eq!(
            can(&capabilities),
            "calls InvokeModel of claude, titan embeddings, without cache points, faults"
        );
    }
}

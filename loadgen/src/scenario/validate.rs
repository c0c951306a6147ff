//! What a scenario must satisfy beyond its shape.

use std::collections::BTreeMap;

use super::{
    AttributeValue, DrawnValue, Lengths, LogNormal, Quantile, Scenario, Spread, Step, StopReason,
    Weighted,
};
use crate::capabilities::Family;

/// The most turns of a session, and the most calls of an agent: histories grow by each, so that what is
/// sent grows by its square.
const MOST_TURNS: u32 = 200;

/// The most sessions at once. Each is kept in memory while a plan is gone through.
const MOST_OPEN: u32 = 100_000;

/// How often an answer may at most be followed by a tool's result, in sessions with tools.
const MOST_TOOL_USE: f64 = 0.9;

/// The most texts of a list.
const MOST_LISTED: u32 = 1000;

impl Scenario {
    /// Says the first thing that is wrong with the scenario's values.
    pub(super) fn validate(&self) -> Result<(), String> {
        self.validate_mix()?;
        self.validate_shares()?;
        self.validate_lengths()?;
        weighted("max_tokens", &self.max_tokens)?;
        weighted("answers.stop_reasons", &self.answers.stop_reasons)?;
        if let Some(zero) = self.max_tokens.iter().find(|choice| choice.value == 0) {
            return Err(format!("max_tokens: {} is not above zero", zero.value));
        }
        if self.tools.offered.is_empty() && self.tools.share > 0.0 {
            return Err("tools.offered is empty although tools.share is not 0".to_owned());
        }
        self.validate_stop_reasons()?;
        let (longest, limits) = (self.answers.output_tokens.most, self.max_tokens.iter());
        if limits.map(|limit| limit.value).max() <= Some(longest) {
            return Err(format!(
                "answers.output_tokens: most {longest} is not below the largest of max_tokens"
            ));
        }
        if self.cached_prefix.prompts == 0 {
            return Err("cached_prefix.prompts is not above zero".to_owned());
        }
        self.validate_features()?;
        self.validate_sessions()?;
        self.validate_serving()?;
        self.validate_trace()
    }

    fn validate_serving(&self) -> Result<(), String> {
        let serving = &self.serving;
        share_between_0_and_1("serving.cache_hit", serving.cache_hit_share)?;
        spread("serving.first_chunk_seconds", serving.first_chunk_seconds)?;
        spread("serving.tokens_per_second", serving.tokens_per_second)
    }

    fn validate_trace(&self) -> Result<(), String> {
        let trace = &self.trace;
        let values = |name: &str, attributes: &BTreeMap<String, AttributeValue>| {
            values(name, attributes, !self.features.is_empty())
        };
        values("trace.resource", &trace.resource)?;
        values("trace.labels", &trace.labels)?;
        if !matches!(trace.resource.get("service.name"), Some(AttributeValue::Text(_))) {
            return Err("trace.resource: `service.name` is not there, or no text".to_owned());
        }
        let steps = trace.before.iter().filter_map(|step| match step {
            Step::Embeddings => None,
            Step::Span(span) => Some(("trace.before", span)),
        });
        for (name, span) in trace.server.iter().map(|span| ("trace.server", span)).chain(steps) {
            spread(&format!("{name} `{}`: seconds", span.name), span.seconds)?;
            values(&format!("{name} `{}`", span.name), &span.attributes)?;
        }
        let embeds = |family: Option<Family>| family == Some(Family::TitanEmbeddings);
        let of_mix = |embedding| {
            self.mix
                .iter()
                .any(|target| target.weight > 0.0 && embeds(target.family()) == embedding)
        };
        if trace.before.contains(&Step::Embeddings) && !(of_mix(true) && of_mix(false)) {
            return Err(
                "trace.before has embeddings before a call, and the mix has not both".to_owned()
            );
        }
        let Some(agent) = &trace.agent else { return Ok(()) };
        if !of_mix(false) {
            return Err("trace.agent: no model of the mix answers".to_owned());
        }
        if self.tools.offered.is_empty() {
            return Err("trace.agent has no tools: tools.offered is empty".to_owned());
        }
        up_to("trace.agent.calls", &agent.calls, MOST_TURNS)?;
        spread("trace.agent.tool_seconds", agent.tool_seconds)
    }

    fn validate_mix(&self) -> Result<(), String> {
        positive_sum("mix", self.mix.iter().map(|target| target.weight))?;
        for target in &self.mix {
            let (model, operation) = (&target.model, target.operation);
            let family = target
                .family()
                .ok_or_else(|| format!("mix: the model family of `{model}` is not known"))?;
            if !family.offers(operation) {
                return Err(format!("mix: `{model}` has no {}", operation.name()));
            }
        }
        Ok(())
    }

    fn validate_shares(&self) -> Result<(), String> {
        let sampling = &self.sampling;
        for (name, share, choices) in [
            ("sampling.temperature", sampling.temperature.share, sampling.temperature.values.len()),
            ("sampling.top_p", sampling.top_p.share, sampling.top_p.values.len()),
            ("sampling.top_k", sampling.top_k.share, sampling.top_k.values.len()),
            ("stop_sequences", self.stop_sequences.share, self.stop_sequences.values.len()),
            ("system", self.system.share, self.system.values.len()),
        ] {
            share_between_0_and_1(name, share)?;
            if choices == 0 && share > 0.0 {
                return Err(format!("{name}.values is empty although {name}.share is not 0"));
            }
        }
        share_between_0_and_1("tools", self.tools.share)?;
        share_between_0_and_1("tools.any", self.tools.any_share)?;
        share_between_0_and_1("cached_prefix", self.cached_prefix.share)?;
        for planned in &self.faults {
            share_between_0_and_1(&format!("faults {}", planned.fault), planned.share)?;
        }
        share_between_0_and_1("faults", self.faults.iter().map(|planned| planned.share).sum())
    }

    /// What the calls need to have for their answers to end as they are to.
    fn validate_stop_reasons(&self) -> Result<(), String> {
        let ends = |reason| {
            let mut choices = self.answers.stop_reasons.iter();
            choices.any(|choice| choice.value == reason && choice.weight > 0.0)
        };
        if ends(StopReason::ToolUse) && self.tools.offered.is_empty() {
            return Err("answers.stop_reasons has tool_use, and tools.offered is empty".to_owned());
        }
        if ends(StopReason::StopSequence) && self.stop_sequences.values.is_empty() {
            return Err(
                "answers.stop_reasons has stop_sequence, and stop_sequences.values is empty"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Features stand in the metadata of requests, of which the service takes certain characters.
    fn validate_features(&self) -> Result<(), String> {
        if !self.features.is_empty() {
            weighted("features", &self.features)?;
        }
        let is_taken = |text: &str| {
            let is_taken = |c: char| c.is_ascii_alphanumeric() || " :_@$#=/+,-.".contains(c);
            (1..=256).contains(&text.len()) && text.chars().all(is_taken)
        };
        match self.features.iter().find(|feature| !is_taken(&feature.value)) {
            Some(Weighted { value, .. }) => Err(format!(
                "features: `{value}` is not 1 to 256 letters, digits, spaces or of :_@$#=/+,-."
            )),
            None => Ok(()),
        }
    }

    fn validate_sessions(&self) -> Result<(), String> {
        let Some(sessions) = &self.sessions else { return Ok(()) };
        up_to("sessions.turns", &sessions.turns, MOST_TURNS)?;
        if !(1..=MOST_OPEN).contains(&sessions.open) {
            return Err(format!("sessions.open: {} is not from 1 to {MOST_OPEN}", sessions.open));
        }
        lengths("sessions.follow_up_tokens", &sessions.follow_up_tokens)?;
        let reasons = &self.answers.stop_reasons;
        let weight = |uses: bool| {
            let counted = reasons.iter().filter(|stop| uses == (stop.value == StopReason::ToolUse));
            counted.map(|stop| stop.weight).sum::<f64>()
        };
        let uses = weight(true) / (weight(true) + weight(false));
        let in_sessions_with_tools = uses / (self.tools.share + uses - self.tools.share * uses);
        if in_sessions_with_tools > MOST_TOOL_USE {
            return Err(format!(
                "answers.stop_reasons: {:.1} % end with tool_use, and tools.share is {}: in sessions with tools {:.0} of 100 answers would, and at most 90 may; raise tools.share",
                uses * 100.0,
                self.tools.share,
                in_sessions_with_tools * 100.0,
            ));
        }
        Ok(())
    }

    fn validate_lengths(&self) -> Result<(), String> {
        lengths("prompt_tokens", &self.prompt_tokens)?;
        lengths("embedding_tokens", &self.embedding_tokens)?;
        lengths("tools.result_tokens", &self.tools.result_tokens)?;
        lengths("answers.output_tokens", &self.answers.output_tokens)
    }
}

fn lengths(name: &str, lengths: &Lengths) -> Result<(), String> {
    let Lengths { mixture, quantiles, least, most } = lengths;
    match (mixture.is_empty(), quantiles.is_empty()) {
        (false, true) => mixture_of(name, mixture)?,
        (true, false) => rising(name, quantiles)?,
        _ => return Err(format!("{name}: there must be either mixture or quantiles")),
    }
    if least > most {
        return Err(format!("{name}: least {least} is above most {most}"));
    }
    let outside = quantiles.iter().find(|quantile| !(least..=most).contains(&&quantile.tokens));
    outside.map_or(Ok(()), |Quantile { tokens, .. }| {
        Err(format!("{name}: the quantile {tokens} is not from least {least} to most {most}"))
    })
}

fn mixture_of(name: &str, mixture: &[LogNormal]) -> Result<(), String> {
    positive_sum(name, mixture.iter().map(|part| part.weight))?;
    for LogNormal { median, sigma, .. } in mixture {
        if !is_log_normal(*median, *sigma) {
            return Err(format!(
                "{name}: median {median} and sigma {sigma} are no log-normal of lengths"
            ));
        }
    }
    Ok(())
}

fn rising(name: &str, quantiles: &[Quantile]) -> Result<(), String> {
    let is_share = |quantile: &Quantile| quantile.at > 0.0 && quantile.at < 1.0;
    if let Some(Quantile { at, .. }) = quantiles.iter().find(|quantile| !is_share(quantile)) {
        return Err(format!("{name}: the quantile at {at} is not between 0 and 1"));
    }
    let rises = |two: &[Quantile]| two[0].at < two[1].at && two[0].tokens <= two[1].tokens;
    if quantiles.windows(2).all(rises) {
        Ok(())
    } else {
        Err(format!("{name}: the quantiles do not rise"))
    }
}

fn spread(name: &str, Spread { median, sigma }: Spread) -> Result<(), String> {
    if is_log_normal(median, sigma) {
        Ok(())
    } else {
        Err(format!("{name}: median {median} and sigma {sigma} are no log-normal"))
    }
}

fn is_log_normal(median: f64, sigma: f64) -> bool {
    median > 0.0 && median.is_finite() && (0.0..10.0).contains(&sigma)
}

fn values(
    name: &str,
    values: &BTreeMap<String, AttributeValue>,
    has_features: bool,
) -> Result<(), String> {
    for (key, value) in values {
        let AttributeValue::Drawn(drawn) = value else { continue };
        let wrong = match drawn {
            DrawnValue::OneOf(choices) => {
                choices.is_empty().then_some("there is nothing to choose")
            }
            DrawnValue::Numbered(numbered) => (numbered.of == 0).then_some("`of` is zero"),
            DrawnValue::List { of, length, .. } => {
                let wrong = *of == 0 || *length > MOST_LISTED;
                wrong.then_some("`of` is zero, or `length` above 1000")
            }
            DrawnValue::Integer([least, most]) => {
                (least > most).then_some("the first number is above the second")
            }
            DrawnValue::Number([least, most]) => (!(least <= most && (most - least).is_finite()))
                .then_some("the first number is not below the second"),
            DrawnValue::Feature(_) => (!has_features).then_some("there are no features"),
            DrawnValue::Random(_) | DrawnValue::Tenant(_) => None,
        };
        if let Some(wrong) = wrong {
            return Err(format!("{name}, `{key}`: {wrong}"));
        }
    }
    Ok(())
}

/// Choices of which each is from 1 to `most`.
fn up_to(name: &str, choices: &[Weighted<u32>], most: u32) -> Result<(), String> {
    weighted(name, choices)?;
    match choices.iter().find(|choice| !(1..=most).contains(&choice.value)) {
        Some(wrong) => Err(format!("{name}: {} is not from 1 to {most}", wrong.value)),
        None => Ok(()),
    }
}

fn weighted<T>(name: &str, choices: &[Weighted<T>]) -> Result<(), String> {
    positive_sum(name, choices.iter().map(|choice| choice.weight))
}

fn positive_sum(name: &str, weights: impl Iterator<Item = f64>) -> Result<(), String> {
    let mut sum = 0.0;
    for weight in weights {
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(format!("{name}: {weight} is no weight"));
        }
        sum += weight;
    }
    if sum > 0.0 { Ok(()) } else { Err(format!("{name}: the weights add up to nothing")) }
}

fn share_between_0_and_1(name: &str, share: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&share) {
        Ok(())
    } else {
        Err(format!("{name}.share: {share} is not between 0 and 1"))
    }
}

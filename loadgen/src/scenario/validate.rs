//! What a scenario must satisfy beyond its shape.

use super::{Scenario, Weighted};

impl Scenario {
    /// Says the first thing that is wrong with the scenario's values.
    pub(super) fn validate(&self) -> Result<(), String> {
        self.validate_mix()?;
        self.validate_shares()?;
        self.validate_lengths()?;
        weighted("max_tokens", &self.max_tokens)?;
        weighted("messages", &self.messages)?;
        if let Some(even) = self.messages.iter().find(|choice| choice.value % 2 == 0) {
            return Err(format!("messages: {} is not odd", even.value));
        }
        if let Some(zero) = self.max_tokens.iter().find(|choice| choice.value == 0) {
            return Err(format!("max_tokens: {} is not above zero", zero.value));
        }
        if self.tools.offered.is_empty() && self.tools.share > 0.0 {
            return Err("tools.offered is empty although tools.share is not 0".to_owned());
        }
        if self.cached_prefix.prompts == 0 {
            return Err("cached_prefix.prompts is not above zero".to_owned());
        }
        Ok(())
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

    fn validate_lengths(&self) -> Result<(), String> {
        for (name, lengths) in
            [("prompt_tokens", &self.prompt_tokens), ("embedding_tokens", &self.embedding_tokens)]
        {
            positive_sum(name, lengths.mixture.iter().map(|part| part.weight))?;
            for part in &lengths.mixture {
                let (median, sigma) = (part.median, part.sigma);
                if !(median > 0.0 && median.is_finite() && (0.0..10.0).contains(&sigma)) {
                    return Err(format!(
                        "{name}: median {median} and sigma {sigma} are no log-normal of lengths"
                    ));
                }
            }
            if lengths.least > lengths.most {
                let (least, most) = (lengths.least, lengths.most);
                return Err(format!("{name}: least {least} is above most {most}"));
            }
        }
        Ok(())
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

//! Words for prompts: plain sentences, put together at random.

use rand::{Rng, RngExt};

/// Roughly how many characters of English a tokenizer makes one token of.
const CHARS_PER_TOKEN: usize = 4;

/// Roughly how many tokens a text is.
pub(crate) fn tokens_of(text: &str) -> u32 {
    u32::try_from(text.len() / CHARS_PER_TOKEN).unwrap_or(u32::MAX)
}

/// Appends sentences to `text` until about `tokens` tokens have been added, one sentence at least.
pub(crate) fn append_sentences(text: &mut String, tokens: u32, random: &mut impl Rng) {
    let wanted = text.len() + usize::try_from(tokens).unwrap_or(usize::MAX) * CHARS_PER_TOKEN;
    text.reserve(wanted - text.len());
    loop {
        text.push_str(SENTENCES[random.random_range(0..SENTENCES.len())]);
        if text.len() >= wanted {
            return;
        }
        text.push(' ');
    }
}

/// What people write to an assistant.
const SENTENCES: &[&str] = &[
    "Can you help me?",
    "Please keep it short.",
    "The parcel came on Tuesday.",
    "I have tried that already.",
    "What would you do in my place?",
    "It worked fine until last week.",
    "My train leaves at half past seven.",
    "We moved the meeting to the afternoon.",
    "Which of the two would you pick, and why?",
    "The report is due at the end of the month.",
    "Write it so that a child of ten understands it.",
    "The second table leaves out the returned goods.",
    "I would like to compare three plans for a family of four.",
    "Our garden faces north and gets little sun in winter.",
    "The kettle switches itself off before the water boils.",
    "Summarize the main points and list what is still open.",
    "The function returns an empty list when the file is missing.",
    "Give me a plan for the weekend that does not need a car.",
    "They asked for a refund, but the order was never cancelled.",
    "The invoice shows two charges for the same night at the hotel.",
    "Turn the following notes into a letter to the landlord.",
    "After the update the screen stays dark for about a minute.",
    "How long does it take to learn enough Italian for a holiday?",
    "The bakery at the corner sells out of rye bread by nine.",
    "Translate the last paragraph into French and keep its tone.",
    "The pump makes a grinding noise whenever the pressure drops.",
    "Explain the difference between a lease and a rental agreement.",
    "Our team has five people, two of whom work from another country.",
    "The measurements from the north sensor drift by half a degree an hour.",
    "Draft an answer that is polite but leaves no doubt about the deadline.",
    "The recipe asks for buttermilk, and all I have is yoghurt and some lemons.",
    "Please check whether the totals in the third column add up to the figure at the bottom.",
    "When the queue grows past a thousand entries, the workers start to answer more slowly.",
    "The museum opens at ten on weekdays and at eleven on Sundays, except in the winter months.",
    "I am writing a speech for my sister's wedding and want it to be warm without being too long.",
    "The customer says that the replacement was sent to the old address, although the new one was on file.",
    "List the steps in order, and mark the ones that can be done by somebody who has never seen the machine.",
    "In the first year we sold mostly to schools, then the libraries came, and now private buyers make up a third.",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::streams::{Purpose, stream};

    proptest! {
        #[test]
        fn texts_are_about_as_long_as_asked(tokens in 1_u32..5_000, seed: u64) {
            let mut text = String::new();
            append_sentences(&mut text, tokens, &mut stream(seed, Purpose::Text, 0));
            let longest = SENTENCES.iter().map(|sentence| sentence.len()).max().unwrap();
            let wanted = tokens as usize * CHARS_PER_TOKEN;
            prop_assert!(text.len() >= wanted && text.len() <= wanted + longest);
        }
    }
}

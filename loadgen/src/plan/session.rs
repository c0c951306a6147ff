//! Sessions: which conversation a call belongs to, and what has been said in it, but for the words.
//!
//! What a session is like, and what is said in each of its calls, follows from the seed and the
//! session's number. Which call of the plan belongs to which session is settled by going through the
//! plan with the sessions that are open, and nothing else, in memory: like the times of calls, it is
//! the same for every shard. A call that knows its [`Place`] needs no other call.

use rand::RngExt;

use super::answer::Answer;
use super::choose::{Weights, chosen_index, length, share};
use super::{Plan, Planned};
use crate::capabilities::{Capabilities, Feature};
use crate::scenario::{Scenario, Sessions, StopReason};
use crate::streams::{Purpose, stream};
use crate::tenants::Tenants;
use crate::trace::Recorded;

/// How many calls in a row may end with the use of a tool. Where a scenario has them as often as is
/// allowed, one turn in thirty would have more.
const MOST_ROUNDS: u32 = 32;

/// How many bits of a position tell the calls of a session apart.
const STEP_BITS: u32 = 14;

/// Where a call stands in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The session's number, which no other of the plan has.
    pub(crate) session: u64,
    /// How many calls of the session come before it.
    pub(crate) step: u32,
    /// How many questions of the user come before its own.
    pub(crate) turn: u32,
    /// How many calls about the same question come before it: where there are any, it brings what a
    /// tool returned.
    pub(crate) round: u32,
    /// How many tokens have been said before it.
    pub(crate) known_tokens: u32,
    /// Whether it embeds a text, which is no part of a conversation.
    pub(crate) embeds: bool,
}

impl Place {
    /// That of the first call of a session.
    pub(crate) fn first(session: u64) -> Place {
        Place { session, step: 0, turn: 0, round: 0, known_tokens: 0, embeds: false }
    }

    /// What tells the call from all others of the plan, and of the sessions that began before it.
    pub(crate) fn position(&self) -> u64 {
        self.session << STEP_BITS | u64::from(self.step)
    }
}

/// What stays the same in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Where its target stands in the scenario's mix.
    pub(crate) target: usize,
    /// Which of the scenario's features it is for.
    pub(crate) feature: Option<usize>,
    /// Whether its calls offer tools.
    pub(crate) offers_tools: bool,
    /// Which of the scenario's system prompts it has.
    pub(crate) system: Option<usize>,
    /// Which of the shared system prompts it has, if its target may have one.
    pub(crate) shared_prompt: Option<usize>,
    turns: u32,
    /// After how many turns the plan starts, of a session that began before it.
    turns_before: u32,
}

/// What is said in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) place: Place,
    /// How long what the user says, or a tool returned, is.
    pub(crate) said_tokens: u32,
    /// How it is to be answered. In the calls after it, a text of this length stands for the answer.
    pub(crate) answer: Answer,
}

/// How calls make up sessions, by the scenario and what the client can do.
#[derive(Debug)]
pub(super) struct Rules {
    /// The targets that answer, and those that embed; either may be missing, not both.
    answering: Option<Weights>,
    embedding: Option<Weights>,
    embedding_share: f64,
    features: Option<Weights>,
    turns: Option<Weights>,
    /// The same of sessions that go on at some time, of which long ones are more.
    turns_going_on: Option<Weights>,
    /// How many sessions offer tools, and how many of those that go on at some time.
    tools_share: f64,
    tools_share_going_on: f64,
    /// How often an answer ends with a tool's use in sessions that offer some.
    tool_use_share: f64,
    /// The other reasons.
    other_stops: Option<Weights>,
    /// Whether calls carry what has been said before them.
    pub(super) carries_history: bool,
    /// Whether the use of a tool is followed by a call with what it returned.
    returns_results: bool,
    /// The slots of each tenant begin here, and those of the last end at the last number. Each holds
    /// a session. Without sessions there are none.
    slots: Vec<u32>,
}

impl Rules {
    /// `can_make` says which targets there are. A replayed trace has no sessions.
    pub(super) fn new(
        scenario: &Scenario,
        capabilities: &Capabilities,
        tenants: Option<Tenants>,
        weights: &[f64],
    ) -> Rules {
        let answers = |index: usize| {
            scenario.mix[index].family().is_some_and(crate::capabilities::Family::answers_in_words)
        };
        let of = |wanted: bool| {
            let weights = weights.iter().enumerate();
            weights.map(move |(index, weight)| if answers(index) == wanted { *weight } else { 0.0 })
        };
        let sessions = scenario.sessions.as_ref().filter(|_| tenants.is_some());
        let carries_history = capabilities.has(Feature::MultipleMessages);
        let returns_results = sessions.is_some()
            && carries_history
            && capabilities.has(Feature::Tools)
            && capabilities.has(Feature::ToolResults);
        let stops = &scenario.answers.stop_reasons;
        let weight = |reason: StopReason| {
            stops.iter().filter(|stop| stop.value == reason).map(|stop| stop.weight).sum::<f64>()
        };
        let all: f64 = stops.iter().map(|stop| stop.weight).sum();
        let (share, uses) = (scenario.tools.share, weight(StopReason::ToolUse) / all);
        // A use of a tool makes its session a call longer, and so sessions with tools have more calls
        // than others: with these two, their uses are the share of all answers that they are to be.
        let going_on = share + uses - share * uses;
        let turns = sessions.map(|sessions| sessions.turns.as_slice()).unwrap_or_default();
        Rules {
            answering: Weights::new(of(true)),
            embedding: Weights::new(of(false)),
            embedding_share: of(false).sum::<f64>() / weights.iter().sum::<f64>(),
            features: Weights::new(scenario.features.iter().map(|feature| feature.weight)),
            turns: Weights::new(turns.iter().map(|turns| turns.weight)),
            turns_going_on: Weights::new(
                turns.iter().map(|turns| turns.weight * f64::from(turns.value)),
            ),
            tools_share: if returns_results { share } else { going_on },
            tools_share_going_on: going_on,
            tool_use_share: if uses > 0.0 { uses / going_on } else { 0.0 },
            other_stops: Weights::new(stops.iter().map(|stop| match stop.value {
                StopReason::ToolUse => 0.0,
                _ => stop.weight,
            })),
            carries_history,
            returns_results,
            slots: slots(sessions, tenants.unwrap_or_default()),
        }
    }

    /// How many sessions go on at once, which are the first by their numbers.
    fn open(&self) -> u64 {
        self.slots.last().copied().unwrap_or_default().into()
    }
}

/// Where the slots of each tenant begin.
fn slots(sessions: Option<&Sessions>, tenants: Tenants) -> Vec<u32> {
    let Some(sessions) = sessions else { return Vec::new() };
    let each = tenants.calls_of_each(sessions.open.into());
    let ends = each.iter().scan(0_u32, |end, slots| {
        *end = end.saturating_add(u32::try_from(*slots).unwrap_or(u32::MAX).max(1));
        Some(*end)
    });
    [0].into_iter().chain(ends).collect()
}

impl Plan {
    /// What stays the same in the session of `place`.
    pub(crate) fn traits(&self, place: &Place) -> Traits {
        let (scenario, rules) = (&self.scenario, &self.rules);
        let random = &mut stream(self.seed, Purpose::Session, place.session);
        let going_on = place.session < rules.open();
        let targets = if place.embeds { &rules.embedding } else { &rules.answering };
        let target = targets.as_ref().map_or(0, |targets| targets.choose(random));
        let feature = rules.features.as_ref().map(|features| features.choose(random));
        let turns = if going_on { &rules.turns_going_on } else { &rules.turns };
        let turns = turns
            .as_ref()
            .zip(scenario.sessions.as_ref())
            .map_or(1, |(turns, sessions)| sessions.turns[turns.choose(random)].value);
        let turns_before = random.random_range(0..turns.max(1));
        let tools = if going_on { rules.tools_share_going_on } else { rules.tools_share };
        Traits {
            target,
            feature,
            offers_tools: share(tools, random),
            system: chosen_index(&scenario.system, random),
            shared_prompt: {
                let is_cached = share(scenario.cached_prefix.share, random);
                let prompt = random.random_range(0..self.shared_prompts.len());
                is_cached.then_some(prompt)
            },
            turns,
            turns_before: if going_on { turns_before } else { 0 },
        }
    }

    /// What is said in the call at `place`, of which a trace may have recorded the lengths.
    pub(crate) fn exchange(
        &self,
        place: Place,
        offers_tools: bool,
        recorded: Option<Recorded>,
    ) -> Exchange {
        let scenario = &self.scenario;
        let random = &mut stream(self.seed, Purpose::Exchange, place.position());
        let tokens = length(&scenario.answers.output_tokens, random);
        let stop = self.stop(place, offers_tools, random);
        let answer = match recorded {
            Some(recorded) => Answer { tokens: recorded.tokens_out, stop },
            None => Answer::new(tokens, stop, &scenario.max_tokens),
        };
        let follows_up = scenario.sessions.as_ref().filter(|_| place.step > 0);
        let said_tokens = match (recorded, follows_up) {
            (Some(recorded), _) => recorded.tokens_in,
            _ if place.embeds => length(&scenario.embedding_tokens, random),
            (None, Some(_)) if place.round > 0 => length(&scenario.tools.result_tokens, random),
            (None, Some(sessions)) => length(&sessions.follow_up_tokens, random),
            (None, None) => length(&scenario.prompt_tokens, random),
        };
        Exchange { place, said_tokens, answer }
    }

    fn stop(&self, place: Place, offers_tools: bool, random: &mut impl rand::Rng) -> StopReason {
        let (scenario, rules) = (&self.scenario, &self.rules);
        let uses_tool = share(rules.tool_use_share, random);
        let other = rules.other_stops.as_ref().map(|stops| stops.choose(random));
        let other =
            other.map_or(StopReason::EndTurn, |index| scenario.answers.stop_reasons[index].value);
        if !(uses_tool && offers_tools) {
            return match other {
                StopReason::StopSequence if !self.can(Feature::StopSequences) => {
                    StopReason::EndTurn
                }
                other => other,
            };
        }
        let most_tokens = scenario.sessions.as_ref().map(|sessions| sessions.most_tokens);
        let is_too_long = most_tokens.is_some_and(|most| place.known_tokens > most);
        if !self.can(Feature::Tools) || place.round >= MOST_ROUNDS || is_too_long {
            return StopReason::EndTurn;
        }
        StopReason::ToolUse
    }

    /// The place after `exchange`, unless the session has ended.
    fn after(&self, exchange: &Exchange, turns: u32) -> Option<Place> {
        let place = exchange.place;
        let sessions = self.scenario.sessions.as_ref()?;
        let added = exchange.said_tokens.saturating_add(exchange.answer.tokens);
        let known_tokens = place.known_tokens.saturating_add(added);
        let next = Place { step: place.step + 1, known_tokens, ..place };
        if self.is_followed_by_result(exchange) {
            return Some(Place { round: place.round + 1, ..next });
        }
        let goes_on = place.turn + 1 < turns && known_tokens <= sessions.most_tokens;
        goes_on.then_some(Place { turn: place.turn + 1, round: 0, ..next })
    }

    /// Whether the next call of the session brings what a tool returned that the answer called.
    pub(super) fn is_followed_by_result(&self, exchange: &Exchange) -> bool {
        exchange.answer.stop == StopReason::ToolUse && self.rules.returns_results
    }

    /// What has been said in the session of `planned`, from its first call, the call itself being
    /// the last. A client that sends one message says that alone.
    pub(crate) fn conversation(&self, planned: &Planned) -> Vec<Exchange> {
        let Planned { call, place, .. } = *planned;
        let Traits { offers_tools, turns, .. } = self.traits(&place);
        let recorded = self.schedule.recorded(call);
        let exchange = |place: Place| self.exchange(place, offers_tools, recorded);
        if !self.rules.carries_history || place.step == 0 {
            return vec![exchange(place)];
        }
        let mut next = Some(Place::first(place.session));
        let mut exchanges = Vec::new();
        while let Some(at) = next.filter(|at| at.step <= place.step) {
            let exchange = exchange(at);
            next = self.after(&exchange, turns);
            exchanges.push(exchange);
        }
        exchanges
    }

    /// The first place in the plan of a session that began before it, with what [`Open`] keeps of it.
    fn resumed(&self, session: u64) -> (Place, u32, bool) {
        let mut place = Place::first(session);
        let Traits { turns, turns_before, offers_tools, .. } = self.traits(&place);
        while place.turn < turns_before {
            let exchange = self.exchange(place, offers_tools, None);
            match self.after(&exchange, turns) {
                Some(next) => place = next,
                // It has grown too long before; its last call is the one to come.
                None => break,
            }
        }
        (place, turns, offers_tools)
    }
}

/// The sessions that are open at some point of a plan.
#[derive(Debug)]
pub(super) struct Open {
    slots: Vec<Slot>,
}

/// A place for a session, which takes on another when one has ended.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// Its session goes on when the plan starts, and has had no call yet.
    GoingOn,
    /// Its last session has ended.
    Free,
    /// Its session's next call is at this place.
    Next { place: Place, turns: u32, offers_tools: bool },
}

impl Open {
    /// Those at the start of a plan with `rules`.
    pub(super) fn new(rules: &Rules) -> Open {
        let slots = rules.slots.last().copied().unwrap_or_default();
        Open { slots: vec![Slot::GoingOn; slots as usize] }
    }

    /// The place of the next call of `plan`, which is `call` and of `tenant`.
    pub(super) fn next(&mut self, plan: &Plan, call: u64, tenant: u32) -> Place {
        let rules = &plan.rules;
        let random = &mut stream(plan.seed, Purpose::Place, call);
        let embeds = share(rules.embedding_share, random);
        let alone = Place { embeds, ..Place::first(rules.open() + call) };
        let tenant = tenant as usize;
        let (Some(&[start, end]), false) = (rules.slots.get(tenant..tenant + 2), embeds) else {
            return alone;
        };
        let index = random.random_range(start..end);
        let slot = &mut self.slots[index as usize];
        let (place, turns, offers_tools) = match *slot {
            Slot::Next { place, turns, offers_tools } => (place, turns, offers_tools),
            Slot::Free => {
                let Traits { turns, offers_tools, .. } = plan.traits(&alone);
                (alone, turns, offers_tools)
            }
            Slot::GoingOn => plan.resumed(index.into()),
        };
        let exchange = plan.exchange(place, offers_tools, None);
        *slot = match plan.after(&exchange, turns) {
            Some(place) => Slot::Next { place, turns, offers_tools },
            None => Slot::Free,
        };
        place
    }
}

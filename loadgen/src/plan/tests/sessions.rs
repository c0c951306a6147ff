//! What holds of sessions whatever is drawn.

use proptest::prelude::*;

use super::*;
use crate::plan::prompt::Message;

static AGENT: LazyLock<Scenario> = LazyLock::new(|| Scenario::named("agent").unwrap());

/// So many calls of a scenario, of which sessions have few open, by session and in order.
fn by_session(plan: &Plan, calls: usize) -> BTreeMap<u64, Vec<Planned>> {
    let mut sessions = BTreeMap::<u64, Vec<Planned>>::new();
    for planned in plan.planned().take(calls).filter(|planned| !planned.place.embeds) {
        sessions.entry(planned.place.session).or_default().push(planned);
    }
    sessions
}

fn with_few_open(scenario: &Scenario, seed: u64, tenants: u32) -> Plan {
    let mut scenario = scenario.clone();
    scenario.sessions.as_mut().unwrap().open = 5;
    let tenants = tenants.to_string().parse().unwrap();
    let config = at_rate(seed, AtRate { tenants, arrivals: Arrivals::Poisson, ..day() });
    Plan::new(PlanConfig { scenario, ..config }).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_a_call_says_of_its_session_is_the_beginning_of_what_the_next_says(
        seed: u64, tenants in 1_u32..4, is_agent: bool,
    ) {
        let plan = with_few_open(if is_agent { &AGENT } else { &CHAT }, seed, tenants);
        let mut followed = 0;
        for calls in by_session(&plan, 120).values() {
            for two in calls.windows(2) {
                let (call, next) = (two[0], two[1]);
                let (shape, later) = (plan.shape(&call), plan.shape(&next));
                let (said, then) = (plan.messages(&call, &shape), plan.messages(&next, &later));
                prop_assert_eq!(then.len(), said.len() + 2);
                prop_assert_eq!(&then[..said.len()], said.as_slice());
                // What stands before the messages is the same too, or nothing would be cached.
                let (one, other) = (plan.call(&call), plan.call(&next));
                prop_assert_eq!((one.operation, &one.model_id), (other.operation, &other.model_id));
                for member in ["/system", "/toolConfig/tools", "/tools", "/requestMetadata"] {
                    let (one, other) = (one.request.pointer(member), other.request.pointer(member));
                    prop_assert_eq!(one, other, "{}", member);
                }
                prop_assert_eq!(call.tenant, next.tenant);
                prop_assert_eq!(next.place.step, call.place.step + 1);
                followed += 1;
            }
        }
        prop_assert!(followed > 20, "{}", followed);
    }

    #[test]
    fn the_place_of_a_call_says_what_going_through_its_session_does(seed: u64, is_agent: bool) {
        let plan = with_few_open(if is_agent { &AGENT } else { &CHAT }, seed, 1);
        for planned in by_session(&plan, 120).into_values().flatten() {
            let conversation = plan.conversation(&planned);
            let (last, before) = conversation.split_last().unwrap();
            prop_assert_eq!(last.place, planned.place);
            let known: u32 =
                before.iter().map(|one| one.said_tokens + one.answer.tokens).sum();
            prop_assert_eq!(planned.place.known_tokens, known);
            prop_assert_eq!(before.len(), planned.place.step as usize);
        }
    }

    #[test]
    fn every_use_of_a_tool_is_followed_by_its_result(seed: u64) {
        let plan = with_few_open(&AGENT, seed, 1);
        let mut results = 0;
        for planned in plan.planned().take(60) {
            let shape = plan.shape(&planned);
            let messages = plan.messages(&planned, &shape);
            for two in messages.windows(2) {
                if let Message::Called { id, name, arguments, .. } = &two[0] {
                    let returned = matches!(&two[1], Message::Returns { id: of, .. } if of == id);
                    prop_assert!(returned);
                    let schema = AGENT.tools.offered.iter().find(|tool| tool.name == *name);
                    let schema = &schema.unwrap().input_schema;
                    prop_assert!(jsonschema::is_valid(schema, arguments), "{}", arguments);
                    results += 1;
                } else {
                    let returned = matches!(two[1], Message::Returns { .. });
                    prop_assert!(!returned);
                }
            }
            let ends_with_result = matches!(messages.last(), Some(Message::Returns { .. }));
            prop_assert_eq!(ends_with_result, planned.place.round > 0);
            prop_assert!(shape.tools.is_some(), "no request may hold uses of tools without tools");
        }
        prop_assert!(results > 20, "{}", results);
    }

    #[test]
    fn a_client_that_carries_no_results_or_no_history_is_asked_for_none(seed: u64, history: bool) {
        let mut scenario = AGENT.clone();
        scenario.sessions.as_mut().unwrap().open = 5;
        let mut config = PlanConfig { scenario, ..config(seed) };
        let left_out = if history { Feature::ToolResults } else { Feature::MultipleMessages };
        config.capabilities.features.retain(|feature| *feature != left_out);
        let plan = Plan::new(config).unwrap();
        for planned in plan.planned().take(60) {
            let shape = plan.shape(&planned);
            let messages = plan.messages(&planned, &shape);
            let is_text = |message: &Message<'_>| {
                matches!(message, Message::Asks(_) | Message::Answered(_))
            };
            prop_assert!(messages.iter().all(is_text));
            let whole = 2 * planned.place.step as usize + 1;
            prop_assert_eq!(messages.len(), if history { whole } else { 1 });
            prop_assert_eq!(shape.messages as usize, messages.len());
        }
    }
}

#[test]
fn the_last_two_messages_of_the_user_end_with_cache_points() {
    let plan = with_few_open(&AGENT, 7, 1);
    let mut cached = 0;
    for planned in plan.planned().take(200) {
        let request = plan.call(&planned).request;
        let points = |messages: &serde_json::Value| -> Vec<usize> {
            let messages = messages.as_array().unwrap().iter().enumerate();
            messages
                .filter(|(_, message)| message["content"].to_string().contains("cachePoint"))
                .map(|(index, _)| index)
                .collect()
        };
        let last = request["messages"].as_array().unwrap().len() - 1;
        let expected = match plan.shape(&planned).system {
            shape::System::Cached { .. } if last == 0 => vec![0],
            shape::System::Cached { .. } => vec![last - 2, last],
            _ => Vec::new(),
        };
        cached += expected.len();
        assert_eq!(points(&request["messages"]), expected);
        let in_system = request["system"].to_string().contains("cachePoint");
        assert_eq!(in_system, !expected.is_empty());
    }
    assert!(cached > 100);
}

#[test]
fn a_session_that_has_grown_too_long_ends_and_its_tools_are_not_called_again() {
    let mut scenario = AGENT.clone();
    let sessions = scenario.sessions.as_mut().unwrap();
    (sessions.open, sessions.most_tokens) = (5, 3_000);
    sessions.turns = vec![Weighted { value: 200, weight: 1.0 }];
    let longest_turn = scenario.prompt_tokens.most
        + scenario.tools.result_tokens.most
        + 2 * scenario.answers.output_tokens.most;
    let plan = Plan::new(PlanConfig { scenario, ..config(1) }).unwrap();
    let calls: Vec<Planned> = plan.planned().take(3_000).collect();
    let longest = calls.iter().map(|planned| planned.place.known_tokens).max().unwrap();
    assert!((3_000..3_000 + longest_turn).contains(&longest), "{longest}");
    assert!(calls.iter().filter(|planned| planned.place.step == 0).count() > 50);
    let too_long = calls.iter().filter(|planned| planned.place.known_tokens > 3_000);
    let stops = too_long.map(|planned| plan.shape(planned).answer.unwrap().stop);
    let stops: Vec<crate::scenario::StopReason> = stops.collect();
    assert!(stops.len() > 50 && !stops.contains(&crate::scenario::StopReason::ToolUse));
}

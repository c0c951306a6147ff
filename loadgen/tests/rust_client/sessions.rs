//! Sessions against the mock: what a call repeats is found in the prompt cache, tools' results are
//! taken, and whom a call is for is in the ledger and on its span.

use super::*;

use spanproof_schemas::ledger::Usage;

/// Calls of an agent, one after another, of few sessions at a time.
async fn ran_agent(calls: u64) -> Ran {
    let mut scenario = Scenario::named("agent").unwrap();
    scenario.faults = Vec::new();
    scenario.cached_prefix.share = 1.0;
    scenario.sessions.as_mut().unwrap().open = 4;
    let at_rate = AtRate::even("80000/day".parse().unwrap(), Duration::from_hours(24));
    let at_rate = AtRate { tenants: "2".parse().unwrap(), ..at_rate };
    ran_scenario(scenario, at_rate, "1.41.1", calls, true, 1).await
}

fn metadata<'a>(exchange: &'a Exchange, key: &str) -> &'a str {
    exchange.request_metadata.get(key).map_or("", String::as_str)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_session_repeats_is_read_from_the_prompt_cache() {
    let ran = ran_agent(150).await;
    assert!(ran.outcome.statistics.failures().is_empty(), "{:?}", ran.outcome.statistics);
    let mut sessions = BTreeMap::<&str, Vec<&Exchange>>::new();
    for exchange in &ran.exchanges {
        sessions.entry(metadata(exchange, "session")).or_default().push(exchange);
    }
    let (mut read, mut longest) = (0, 0);
    for calls in sessions.values() {
        longest = longest.max(calls.len());
        for two in calls.windows(2) {
            assert_eq!(two[1].conversation.messages, two[0].conversation.messages + 2);
            let cached =
                |usage: Usage| usage.cache_read_input_tokens + usage.cache_write_input_tokens;
            if cached(two[0].usage) > 0 {
                assert_eq!(two[1].usage.cache_read_input_tokens, cached(two[0].usage));
                assert!(two[1].usage.cache_write_input_tokens > 0);
                read += 1;
            }
        }
    }
    assert!(read > 40 && longest > 4, "{read} calls read the conversation, {longest} at most");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_results_are_taken_and_are_on_the_spans_with_the_uses() {
    let ran = ran_agent(60).await;
    let of_content = content_shape("input_messages");
    let mut results = 0;
    for (span, _) in &ran.spans {
        let messages = text(&span.attributes, "gen_ai.input.messages").unwrap();
        let messages: serde_json::Value = serde_json::from_str(&messages).unwrap();
        assert!(of_content.is_valid(&messages), "{messages}");
        let parts = |kind: &str| messages.to_string().matches(kind).count();
        assert_eq!(parts("\"tool_call\""), parts("\"tool_call_response\""));
        results += parts("\"tool_call_response\"");
    }
    assert!(results > 30, "{results} results");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_and_what_a_call_is_for_is_in_the_ledger_and_on_its_span() {
    let ran = ran_agent(60).await;
    let mut tenants = BTreeMap::<String, u32>::new();
    for (span, exchanges) in ran.pairs() {
        for (key, name) in [
            ("session", "gen_ai.conversation.id"),
            ("tenant", "app.tenant"),
            ("feature", "app.feature"),
        ] {
            let stated = text(&span.attributes, name).unwrap();
            assert_eq!(stated, metadata(exchanges[0], key));
            assert!(!stated.is_empty());
        }
        *tenants.entry(metadata(exchanges[0], "tenant").to_owned()).or_default() += 1;
    }
    assert_eq!(tenants.keys().collect::<Vec<_>>(), ["tenant-0", "tenant-1"]);
}

//! The checks that run, by scope, with the levels that the user set.

use std::sync::Arc;

use spanproof_schemas::report::Level;

use crate::behaviour::Behaviour;
use crate::expectation::RuleExpectations;
use crate::finding::Finding;
use crate::rules::{Check, RULES, Rule};
use crate::settings::Settings;
use crate::snapshot::Snapshot;
use crate::view::{
    CallView, ContentView, EventView, MetricView, PointView, RunView, ScopeView, SpanView,
    StandingView,
};

/// A rule that is not off, as the user wants it.
#[derive(Clone, Debug)]
pub(crate) struct ActiveRule {
    pub(crate) rule: &'static Rule,
    /// The level that the user set for the rule.
    pub(crate) fixed: Option<Level>,
    /// What is expected of it.
    pub(crate) expected: Arc<RuleExpectations>,
}

/// One check of a rule.
#[derive(Clone, Debug)]
pub(crate) struct ActiveCheck<F> {
    pub(crate) rule: ActiveRule,
    pub(crate) check: F,
}

impl<F> ActiveCheck<F> {
    /// The id of the rule.
    pub(crate) fn id(&self) -> &'static str {
        self.rule.rule.id
    }
}

type Checks<F> = Vec<ActiveCheck<F>>;

/// Every check that runs.
#[derive(Debug, Default)]
pub(crate) struct Active {
    pub(crate) span: Checks<fn(&SpanView<'_>) -> Vec<Finding>>,
    pub(crate) content: Checks<fn(&ContentView<'_>) -> Vec<Finding>>,
    pub(crate) event: Checks<fn(&EventView<'_>) -> Vec<Finding>>,
    pub(crate) metric: Checks<fn(&MetricView<'_>) -> Vec<Finding>>,
    pub(crate) point: Checks<fn(&PointView<'_>) -> Vec<Finding>>,
    pub(crate) call: Checks<fn(&CallView<'_>) -> Vec<Finding>>,
    pub(crate) scope: Checks<fn(&ScopeView<'_>) -> Vec<Finding>>,
    pub(crate) standing: Checks<fn(&StandingView<'_>) -> Vec<Finding>>,
    pub(crate) behaviour: Checks<fn(&Behaviour) -> Vec<Finding>>,
    pub(crate) snapshot: Checks<fn(&Snapshot) -> Vec<Finding>>,
    pub(crate) run: Checks<fn(&RunView<'_>) -> Vec<Finding>>,
}

impl Active {
    pub(crate) fn new(settings: &Settings) -> Active {
        let mut active = Active::default();
        for rule in RULES {
            let fixed = match settings.level_override(rule.id) {
                Some(None) => continue,
                Some(Some(level)) => Some(level),
                None => None,
            };
            let expected = Arc::new(RuleExpectations::of(rule.id, &settings.expectations));
            let rule = ActiveRule { rule, fixed, expected };
            for check in rule.rule.checks {
                let rule = rule.clone();
                match *check {
                    Check::Span(check) => active.span.push(ActiveCheck { rule, check }),
                    Check::Content(check) => active.content.push(ActiveCheck { rule, check }),
                    Check::Event(check) => active.event.push(ActiveCheck { rule, check }),
                    Check::Metric(check) => active.metric.push(ActiveCheck { rule, check }),
                    Check::Point(check) => active.point.push(ActiveCheck { rule, check }),
                    Check::Call(check) => active.call.push(ActiveCheck { rule, check }),
                    Check::Scope(check) => active.scope.push(ActiveCheck { rule, check }),
                    Check::Standing(check) => active.standing.push(ActiveCheck { rule, check }),
                    Check::Behaviour(check) => active.behaviour.push(ActiveCheck { rule, check }),
                    Check::Snapshot(check) => active.snapshot.push(ActiveCheck { rule, check }),
                    Check::Run(check) => active.run.push(ActiveCheck { rule, check }),
                }
            }
        }
        active
    }
}

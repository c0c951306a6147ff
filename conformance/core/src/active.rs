//! The checks that run, by scope, with the levels that the user set.

use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Check, RULES, Rule};
use crate::settings::Settings;
use crate::view::{
    CallView, ContentView, EventView, MetricView, PointView, RunView, ScopeView, SpanView,
    StandingView,
};

/// One check of a rule that is not off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActiveCheck<F> {
    pub(crate) rule: &'static Rule,
    /// The level that the user set for the rule.
    pub(crate) fixed: Option<Level>,
    pub(crate) check: F,
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
            for check in rule.checks {
                match *check {
                    Check::Span(check) => active.span.push(ActiveCheck { rule, fixed, check }),
                    Check::Content(check) => {
                        active.content.push(ActiveCheck { rule, fixed, check });
                    }
                    Check::Event(check) => active.event.push(ActiveCheck { rule, fixed, check }),
                    Check::Metric(check) => active.metric.push(ActiveCheck { rule, fixed, check }),
                    Check::Point(check) => active.point.push(ActiveCheck { rule, fixed, check }),
                    Check::Call(check) => active.call.push(ActiveCheck { rule, fixed, check }),
                    Check::Scope(check) => active.scope.push(ActiveCheck { rule, fixed, check }),
                    Check::Standing(check) => {
                        active.standing.push(ActiveCheck { rule, fixed, check });
                    }
                    Check::Run(check) => active.run.push(ActiveCheck { rule, fixed, check }),
                }
            }
        }
        active
    }
}

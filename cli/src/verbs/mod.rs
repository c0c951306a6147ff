//! One file per verb.

pub(crate) mod check;
pub(crate) mod clients;
pub(crate) mod explain;
pub(crate) mod load;
pub(crate) mod merge;
pub(crate) mod mock;
pub(crate) mod receive;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod semconv;
pub(crate) mod size;

use tokio::runtime::Builder;

use crate::args::{Args, Verb};
use crate::exit::{Failure, OrFail as _, Outcome};

pub(crate) fn dispatch(args: Args) -> Result<Outcome, Failure> {
    match args.verb {
        Verb::Run(args) => block_on(run::run(args)),
        Verb::Check(args) => check::run(&args),
        Verb::Load(args) => loadgen::runtime().or_could_not_judge()?.block_on(load::run(*args)),
        Verb::Clients => clients::run(),
        Verb::Merge(args) => merge::run(&args),
        Verb::Mock(args) => block_on(mock::run(args)),
        Verb::Receive(args) => block_on(receive::run(args)),
        Verb::Size(args) => size::run(&args),
        Verb::Rules => rules::run(),
        Verb::Explain(args) => explain::run(&args),
        Verb::Semconv(args) => semconv::run(&args),
    }
}

fn block_on(verb: impl Future<Output = Result<Outcome, Failure>>) -> Result<Outcome, Failure> {
    Builder::new_multi_thread().enable_all().build().or_could_not_judge()?.block_on(verb)
}

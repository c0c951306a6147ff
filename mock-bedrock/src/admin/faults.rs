//! Plans of faults, shown, put in force and taken out of it.

use http::{Method, Response};

use super::reply::{self, AdminBody, Refused};
use crate::fault::{FaultPlan, FaultPlans};

/// Answers a request about the plan of `test`, or about the common one.
pub(super) fn answer(
    plans: &FaultPlans,
    method: &Method,
    test: Option<&str>,
    body: &[u8],
) -> Result<Response<AdminBody>, Refused> {
    match *method {
        Method::GET => Ok(reply::json(&plans.get(test))),
        Method::PUT => {
            let plan: FaultPlan = serde_json::from_slice(body)
                .map_err(|error| Refused::bad(format!("the body is no plan of faults: {error}")))?;
            // A test that waits for a fault which cannot come would pass for no reason.
            if let Some(idle) = plan.idle().first() {
                return Err(Refused::bad(idle.to_string()));
            }
            plans.set(test, plan).map_err(|error| Refused::bad(error.to_string()))?;
            Ok(reply::done())
        }
        Method::DELETE => {
            plans.clear(test);
            Ok(reply::done())
        }
        _ => Err(Refused::method("GET, PUT, DELETE")),
    }
}

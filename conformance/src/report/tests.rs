//! What people and programs see of a report, in every format.

mod deviations;
mod formats;
mod human;
mod laws;
mod samples;
mod targets;

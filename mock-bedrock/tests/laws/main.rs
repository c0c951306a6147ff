//! Laws that hold for every request of every model of the catalogue, over the service in process.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod agents;
mod catalogue;
mod converse;
mod limits;
mod native;
mod requests;
mod service;
mod shapes;
mod tools;
mod vectors;

//! Workers of every temper, written for `python3`, which these tests need on `PATH`.

mod manifests;
mod workers;

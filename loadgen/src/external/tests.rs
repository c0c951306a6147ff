//! Environments and workers of every temper, made with `python3`, which these tests need on `PATH`.

mod environments;
mod manifests;
mod workers;

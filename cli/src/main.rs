//! The `spanproof` binary: the library's [`spanproof::run`] on the process's own arguments.

use std::process::ExitCode;

/// Many small allocations on several threads: measured faster than the system's allocator under
/// load, and its memory returns after a burst.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    spanproof::run(std::env::args_os())
}

//! `spanproof size`

use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use conformance::capture::{Export, Reader, Source};
use sizing::report::{SizeFormat, SizeTarget, report_of_block};
use sizing::{
    Block, BlockBuilder, BlockEncoding, BlockError, BlockFolder, BlockOptions, DedicatedColumn,
};
use spanproof_schemas::size::SizeReport;

use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::check_writable;
use crate::output;

/// Arguments of `size`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Size this captured telemetry as one block: whatever `check` reads, `-` for standard input;
    /// repeatable
    #[arg(long = "capture", required = true, value_name = "PATH")]
    captures: Vec<PathBuf>,
    #[command(flatten)]
    block: BlockArgs,
    /// Write a report: FORMAT to standard output, FORMAT=PATH to a file; repeatable. Formats:
    /// human (the default), json
    #[arg(long = "report", value_name = "FORMAT[=PATH]", help_heading = "Output")]
    reports: Vec<SizeTarget>,
    /// Keep the block in this folder: data.parquet, bloom filters, index and `meta.json`
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    write_block: Option<PathBuf>,
}

/// How Tempo is set up.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Grafana Tempo")]
struct BlockArgs {
    /// The format of blocks: vParquet4, which Tempo 2.6 to 3.0 write, or vParquet5, which 3.1 does
    #[arg(long, default_value_t, value_name = "FORMAT")]
    encoding: BlockEncoding,
    /// Cut text of attributes at so many bytes, as `max_attribute_bytes` does; 0 lifts
    /// the limit
    #[arg(long, default_value_t = BlockOptions::MAX_ATTRIBUTE_BYTES, value_name = "BYTES")]
    max_attribute_bytes: usize,
    /// Refuse more of a trace than so many bytes, as `max_bytes_per_trace` does; 0 lifts the limit
    #[arg(long, default_value_t = BlockOptions::MAX_TRACE_BYTES, value_name = "BYTES")]
    max_trace_bytes: u64,
    /// Dedicate a column to this attribute instead of those that Tempo does: `span.KEY`,
    /// `resource.KEY` or `event.KEY`, and `:int` or `:blob` after it; repeatable
    #[arg(long = "dedicated-column", value_name = "COLUMN")]
    dedicated_columns: Vec<DedicatedColumn>,
}

impl BlockArgs {
    fn options(&self) -> BlockOptions {
        let mut options = BlockOptions::new(self.encoding);
        options.max_attribute_bytes = NonZero::new(self.max_attribute_bytes).map(NonZero::get);
        options.max_trace_bytes = NonZero::new(self.max_trace_bytes).map(NonZero::get);
        if !self.dedicated_columns.is_empty() {
            options.dedicated_columns.clone_from(&self.dedicated_columns);
        }
        options
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let builder = BlockBuilder::new(args.block.options()).or_usage()?;
    args.reports.iter().filter_map(|target| target.path.as_deref()).try_for_each(check_writable)?;
    let block = match sized(builder, &args.captures, args.write_block.as_deref()) {
        Ok(block) => block,
        Err(error) if matches!(error.downcast_ref(), Some(BlockError::NoSpans)) => {
            output::complain("error: there are no spans in what was captured; nothing to size");
            return Ok(Outcome::NothingCaptured);
        }
        Err(error) => return Err(error).or_could_not_judge(),
    };
    let sources: Vec<String> =
        args.captures.iter().map(|path| path.display().to_string()).collect();
    write_reports(&args.reports, &report_of_block(sources.join(", "), &block))?;
    Ok(Outcome::Conforms)
}

fn sized(
    mut builder: BlockBuilder,
    captures: &[PathBuf],
    write_block: Option<&Path>,
) -> anyhow::Result<Block> {
    for export in Reader::new(captures.iter().map(|path| Source::from(path.as_path())))? {
        if let Export::Traces(request) = export? {
            builder.add(request);
        }
    }
    Ok(match write_block {
        Some(folder) => BlockFolder::new(folder).write(builder)?,
        None => builder.finish()?,
    })
}

/// Writes `report` in every form asked for. People get theirs, unless another format goes to
/// standard output.
fn write_reports(targets: &[SizeTarget], report: &SizeReport) -> Result<(), Failure> {
    if targets.iter().all(|target| target.path.is_some()) {
        output::show(SizeFormat::Human.render(report))?;
    }
    for target in targets {
        let text = target.format.render(report);
        match &target.path {
            None => output::show(text)?,
            Some(path) => output::replace(path, |file| file.write_all(text.as_bytes()))
                .map_err(|error| anyhow!("cannot write the report to {}: {error}", path.display()))
                .or_could_not_judge()?,
        }
    }
    Ok(())
}

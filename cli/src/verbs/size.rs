//! `spanproof size`

mod bucket;
mod load;

use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use conformance::capture::{Export, Reader, Source};
use sizing::report::{SizeFormat, SizeTarget, Sized, report_of_block};
use sizing::{
    Block, BlockBuilder, BlockEncoding, BlockError, BlockFolder, BlockOptions, DedicatedColumn,
    read_block,
};
use spanproof_schemas::size::SizeReport;

use self::bucket::Bucket;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::check_writable;
use crate::output;
pub(crate) use load::as_it_comes;

/// What `--help` ends with.
const EXAMPLES: &str = "Examples:
  spanproof size --rate 80000/day --scenario rag --retention 14d
  spanproof size --rate 5/s --policy none --policy cut:2KiB --report html
  spanproof size --capture telemetry.jsonl --write-block block
  spanproof size --block s3://tempo-traces/single-tenant/7500e684-cb04-47ab-9deb";

/// Arguments of `size`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct Args {
    /// Size this captured telemetry as one block: whatever `check` reads, `-` for standard input;
    /// repeatable
    #[arg(long = "capture", group = "what", conflicts_with_all = load::ARGUMENTS,
          conflicts_with = "block", value_name = "PATH")]
    captures: Vec<PathBuf>,
    /// Read the sizes of this block of Tempo: the folder with `meta.json` and `data.parquet` in it,
    /// here or in a bucket (`s3://bucket/tenant/block`, `gs://…`)
    #[arg(long, group = "what", conflicts_with_all = load::ARGUMENTS, value_name = "DIR|URL")]
    block: Option<String>,
    #[command(flatten)]
    load: load::LoadArgs,
    #[command(flatten)]
    tempo: TempoArgs,
    /// Write a report: FORMAT to standard output, FORMAT=PATH to a file; repeatable. Formats:
    /// human (the default), json, markdown, html
    #[arg(long = "report", value_name = "FORMAT[=PATH]", help_heading = "Output")]
    reports: Vec<SizeTarget>,
    /// Keep the block of a capture in this folder: data.parquet, bloom filters, index and
    /// `meta.json`
    #[arg(long, requires = "captures", value_name = "DIR", help_heading = "Output")]
    write_block: Option<PathBuf>,
}

/// How Tempo is set up.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Grafana Tempo")]
struct TempoArgs {
    /// The format of blocks: vParquet4, which Tempo 2.6 to 3.0 write, or vParquet5, which 3.1 does
    #[arg(long, default_value_t, value_name = "FORMAT")]
    encoding: BlockEncoding,
    /// Cut text of attributes at so many bytes, as `max_attribute_bytes` does; 0 lifts the limit
    /// [default: 2048 as in Tempo, and for a load 0, since the policy says what is kept]
    #[arg(long, value_name = "BYTES")]
    max_attribute_bytes: Option<usize>,
    /// Refuse more of a trace than so many bytes, as `max_bytes_per_trace` does; 0 lifts the limit
    #[arg(long, default_value_t = BlockOptions::MAX_TRACE_BYTES, value_name = "BYTES")]
    max_trace_bytes: u64,
    /// Dedicate a column to this attribute instead of those that Tempo does: `span.KEY`,
    /// `resource.KEY` or `event.KEY`, and `:int` or `:blob` after it; repeatable
    #[arg(long = "dedicated-column", value_name = "COLUMN")]
    dedicated_columns: Vec<DedicatedColumn>,
}

impl TempoArgs {
    /// What is given, and else what Tempo has; `cut_bytes` where attributes are cut unless that is
    /// given.
    fn options(&self, cut_bytes: usize) -> BlockOptions {
        let mut options = BlockOptions::new(self.encoding);
        let cut_bytes = self.max_attribute_bytes.unwrap_or(cut_bytes);
        options.max_attribute_bytes = NonZero::new(cut_bytes).map(NonZero::get);
        options.max_trace_bytes = NonZero::new(self.max_trace_bytes).map(NonZero::get);
        if !self.dedicated_columns.is_empty() {
            options.dedicated_columns.clone_from(&self.dedicated_columns);
        }
        options
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    // Refuses columns that the format does not have, whatever is sized.
    let builder =
        BlockBuilder::new(args.tempo.options(BlockOptions::MAX_ATTRIBUTE_BYTES)).or_usage()?;
    args.reports.iter().filter_map(|target| target.path.as_deref()).try_for_each(check_writable)?;
    let sized = if let Some(block) = &args.block {
        Sized::Block(of_block(block)?)
    } else if let Some(rate) = args.load.rate() {
        Sized::Load(Box::new(args.load.forecast(rate, &args.tempo.options(0))?))
    } else {
        match captured(builder, &args.captures, args.write_block.as_deref()) {
            Ok(block) => Sized::Block(report_of_block(names(&args.captures), &block)),
            Err(error) if matches!(error.downcast_ref(), Some(BlockError::NoSpans)) => {
                output::complain("error: there are no spans in what was captured; nothing to size");
                return Ok(Outcome::NothingCaptured);
            }
            Err(error) => return Err(error).or_could_not_judge(),
        }
    };
    write_reports(&args.reports, &sized)?;
    Ok(Outcome::Conforms)
}

/// The sizes of the block at `block`: a folder, or the URL of one.
fn of_block(block: &str) -> Result<SizeReport, Failure> {
    if bucket::is_bucket(block) {
        return read_block(&Bucket::new(block).or_usage()?).or_could_not_judge();
    }
    let folder = block.strip_prefix(bucket::FILE).unwrap_or(block);
    read_block(&BlockFolder::new(Path::new(folder))).or_could_not_judge()
}

fn names(captures: &[PathBuf]) -> String {
    captures.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The block of `captures`.
fn captured(
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

/// Writes a report in every form asked for. People get theirs, unless another format goes to
/// standard output.
fn write_reports(targets: &[SizeTarget], sized: &Sized) -> Result<(), Failure> {
    if targets.iter().all(|target| target.path.is_some()) {
        output::show(SizeFormat::Human.render(sized))?;
    }
    for target in targets {
        let text = target.format.render(sized);
        match &target.path {
            None => output::show(text)?,
            Some(path) => output::replace(path, |file| file.write_all(text.as_bytes()))
                .map_err(|error| anyhow!("cannot write the report to {}: {error}", path.display()))
                .or_could_not_judge()?,
        }
    }
    Ok(())
}

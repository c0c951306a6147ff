//! The ceiling: a hyper server that reads each request and answers with ready-made bytes.
//!
//! The bytes are those that the mock answered to the same request, so that both send as much; a
//! stream goes out as it does from the mock, each frame a piece of its own.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

/// What it answers with.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The body that answers Converse
    #[arg(long, value_name = "FILE")]
    converse: PathBuf,
    /// The body that answers ConverseStream
    #[arg(long, value_name = "FILE")]
    converse_stream: PathBuf,
}

struct Answers {
    converse: Bytes,
    /// A frame each.
    converse_stream: Vec<Bytes>,
}

/// Serves until the process is ended, and writes its endpoint as the first line.
pub(super) fn serve(args: &Args) -> Result<()> {
    let read = |path: &PathBuf| {
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let answers = Arc::new(Answers {
        converse: read(&args.converse)?.into(),
        converse_stream: frames(read(&args.converse_stream)?.into())?,
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let answer = service_fn(move |request| answer(request, Arc::clone(&answers)));
                // A client that hangs up is the only error there is to see.
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), answer)
                    .await;
            });
        }
    })
}

async fn answer(
    request: Request<Incoming>,
    answers: Arc<Answers>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible> {
    let streamed = request.uri().path().ends_with("/converse-stream");
    // A body that breaks off shows in the connection, which then ends.
    let _ = request.into_body().collect().await;
    let (content_type, body) = if streamed {
        let frames = answers.converse_stream.clone().into_iter();
        let body = StreamBody::new(tokio_stream::iter(frames.map(|bytes| Ok(Frame::data(bytes)))));
        ("application/vnd.amazon.eventstream", body.boxed_unsync())
    } else {
        ("application/json", Full::new(answers.converse.clone()).boxed_unsync())
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

/// The frames of a whole event stream; each starts with its length.
fn frames(mut stream: Bytes) -> Result<Vec<Bytes>> {
    let mut frames = Vec::new();
    while let Some(length) = stream.first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length))?;
        ensure!((16..=stream.len()).contains(&length), "a frame says that it has {length} bytes");
        frames.push(stream.split_to(length));
    }
    ensure!(stream.is_empty(), "the stream ends within a frame");
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_comes_apart_at_its_frames_or_not_at_all() {
        let frame =
            |length: u8| [&[0, 0, 0, length][..], &vec![length; usize::from(length) - 4]].concat();
        let whole = [frame(16), frame(20)].concat();
        let apart = frames(Bytes::from(whole.clone())).unwrap();
        assert_eq!(apart, [frame(16), frame(20)]);
        for cut in [1, 17, 21, 35] {
            assert!(frames(Bytes::from(whole[..cut].to_vec())).is_err(), "{cut}");
        }
        assert!(frames(Bytes::from_static(&[0, 0, 0, 4])).is_err());
    }
}

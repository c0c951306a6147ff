//! The body of an answer, which knows when it has been handed over.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use crate::duplex::Duplex;
use crate::line::{Line, Severed};
use crate::model::Model;
use crate::player::Player;
use crate::recorder::Recorder;

/// The body of an answer.
pub(crate) enum AnswerBody {
    /// An answer outside any exchange of the ledger, such as that to an unknown path.
    Plain(Option<Bytes>),
    /// A buffered answer.
    Whole { bytes: Option<Bytes>, recorder: Recorder },
    /// A stream.
    Stream {
        player: Player,
        /// What counts the tokens of what was sent.
        model: Option<&'static Model>,
        ending: Ending,
        recorder: Recorder,
    },
    /// A stream that answers another.
    Duplex(Box<Duplex>),
    /// The first part of an answer of `length` bytes, after which the connection is dropped.
    Cut { part: Option<Bytes>, length: u64, cut: Cut, recorder: Recorder },
}

/// How a stream ends.
pub(crate) enum Ending {
    /// As the service ends it.
    Complete,
    /// Cleanly, but a fault left something out or put an exception in its place.
    Short,
    /// The connection, or the stream of HTTP/2, is dropped.
    Cut(Cut),
}

/// How an answer is cut off: over HTTP/1.1 the connection is dropped, over HTTP/2 the answer's own
/// stream is reset once what came before is sent.
pub(crate) struct Cut {
    line: Arc<Line>,
    resets_stream: bool,
    flushed: Option<oneshot::Receiver<()>>,
}

impl Cut {
    pub(crate) fn new(line: &Arc<Line>, version: Version) -> Self {
        let resets_stream = version == Version::HTTP_2;
        Cut { line: Arc::clone(line), resets_stream, flushed: None }
    }

    pub(crate) fn poll<T>(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Severed>>> {
        if !self.resets_stream {
            self.line.cut();
            return Poll::Pending;
        }
        let flushed = self.flushed.get_or_insert_with(|| self.line.flush());
        Pin::new(flushed).poll(cx).map(|_| Some(Err(Severed)))
    }
}

impl AnswerBody {
    /// The answer begins: its status goes out.
    pub(crate) fn begin(&mut self, status: StatusCode) {
        match self {
            AnswerBody::Plain(_) => {}
            AnswerBody::Duplex(duplex) => {
                duplex.recorder().exchange().status = status.as_u16();
            }
            AnswerBody::Whole { recorder, .. }
            | AnswerBody::Stream { recorder, .. }
            | AnswerBody::Cut { recorder, .. } => recorder.exchange().status = status.as_u16(),
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Severed;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Severed>>> {
        let bytes = match self.get_mut() {
            AnswerBody::Plain(bytes) => bytes.take(),
            AnswerBody::Whole { bytes, recorder } => bytes.take().inspect(|_| {
                recorder.delivered();
                recorder.close();
            }),
            AnswerBody::Stream { player, model, ending, recorder } => {
                match std::task::ready!(player.poll_due(recorder, cx)) {
                    Some(due) => {
                        let tokens = model.map_or(0, |model| model.tokens(due.chars as u64));
                        recorder.chunks(due.frames, tokens);
                        if player.is_over() && !matches!(ending, Ending::Cut(_)) {
                            if matches!(ending, Ending::Complete) {
                                recorder.delivered();
                            }
                            recorder.close();
                        }
                        Some(due.bytes)
                    }
                    None => match ending {
                        Ending::Cut(cut) => return cut.poll(cx),
                        Ending::Complete | Ending::Short => None,
                    },
                }
            }
            AnswerBody::Duplex(duplex) => {
                return duplex
                    .poll_frames(cx)
                    .map(|bytes| bytes.map(|bytes| bytes.map(Frame::data)));
            }
            AnswerBody::Cut { part, cut, recorder, .. } => match part.take() {
                Some(part) => {
                    recorder.charged();
                    Some(part)
                }
                None => return cut.poll(cx),
            },
        };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Plain(bytes) | AnswerBody::Whole { bytes, .. } => bytes.is_none(),
            AnswerBody::Stream { player, ending, .. } => {
                player.is_over() && !matches!(ending, Ending::Cut(_))
            }
            AnswerBody::Cut { .. } | AnswerBody::Duplex(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Plain(bytes) | AnswerBody::Whole { bytes, .. } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            AnswerBody::Cut { length, .. } => SizeHint::with_exact(*length),
            AnswerBody::Stream { .. } | AnswerBody::Duplex(_) => SizeHint::default(),
        }
    }
}

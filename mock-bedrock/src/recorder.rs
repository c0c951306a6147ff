//! Writes an exchange into the ledger when it has ended, however it ended.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use spanproof_schemas::ledger::{Chunks, Exchange, Record, Usage};
use spanproof_schemas::time::unix_nanos;
use tokio::sync::mpsc;

use crate::admin::Observer;
use crate::draw;
use crate::ledger::HandedFrame;
use crate::throttle::Reservation;

/// The record of one exchange in the making. Dropping it writes the record: a client that leaves
/// drops the answer, and the record then says that the answer was not delivered. Once it is closed
/// it is not to be filled in any more.
pub(crate) struct Recorder {
    exchange: Option<Box<Exchange>>,
    /// What the whole answer charges.
    charged: Usage,
    /// Settled with the usage in the end.
    reservation: Option<Reservation>,
    sink: Arc<Observer>,
    stream: Option<OpenStream>,
    /// Dropped after the record was written: a shutdown waits for that.
    _open: Open,
}

/// Held by every exchange that is not in the ledger yet.
pub(crate) type Open = mpsc::Sender<Infallible>;

/// Held by every answer that is streamed, so that they can be counted.
pub(crate) type OpenStream = Arc<()>;

impl Recorder {
    pub(crate) fn new(exchange: Exchange, sink: Arc<Observer>, open: Open) -> Self {
        Recorder {
            exchange: Some(Box::new(exchange)),
            charged: Usage::default(),
            reservation: None,
            sink,
            stream: None,
            _open: open,
        }
    }

    /// The record, to fill in.
    pub(crate) fn exchange(&mut self) -> &mut Exchange {
        self.exchange.get_or_insert_default()
    }

    /// Keeps tokens of a quota until the exchange has ended.
    pub(crate) fn hold(&mut self, reservation: Option<Reservation>) {
        self.reservation = reservation;
    }

    /// The answer is a stream, and counts as one until it has ended.
    pub(crate) fn streams(&mut self, stream: OpenStream) {
        self.stream = Some(stream);
    }

    /// States what the whole answer will charge; nothing is charged until it is handed over.
    pub(crate) fn charge(&mut self, usage: Usage) {
        self.charged = usage;
    }

    /// A buffered answer has begun to be handed over: all of it is charged, whether or not it gets
    /// through.
    pub(crate) fn charged(&mut self) {
        let charged = self.charged;
        self.exchange().usage = charged;
    }

    /// The whole answer has been handed to the connection.
    pub(crate) fn delivered(&mut self) {
        self.charged();
        let exchange = self.exchange();
        exchange.delivered = true;
        exchange.finished_unix_nanos = now();
    }

    /// Chunks have been handed to the connection, of an answer that has charged `output_tokens` so
    /// far.
    pub(crate) fn chunks(&mut self, count: u32, output_tokens: u64) {
        let charged = self.charged;
        let at = now();
        let exchange = self.exchange();
        exchange.usage =
            Usage { output_tokens: output_tokens.min(charged.output_tokens), ..charged };
        let chunks =
            exchange.chunks.get_or_insert(Chunks { first_unix_nanos: at, ..Chunks::default() });
        chunks.last_unix_nanos = at;
        chunks.count += count;
    }

    /// Writes the record: nothing more will happen to the answer. Called before its last bytes are on
    /// their way, so that a client that has all of an answer finds it in the ledger.
    pub(crate) fn close(&mut self) {
        let Some(mut exchange) = self.exchange.take() else { return };
        if let Some(mut reservation) = self.reservation.take() {
            reservation.settle(exchange.usage);
        }
        if exchange.finished_unix_nanos == 0 {
            exchange.finished_unix_nanos = now();
        }
        for hash in [&mut exchange.prompt_sha256, &mut exchange.completion_sha256] {
            if hash.is_empty() {
                *hash = draw::sha256("");
            }
        }
        self.sink.record(Record::Exchange(exchange));
    }

    /// A frame was handed to the connection at `handed`, the `number`th of its stream, that was
    /// due at `planned`.
    pub(crate) fn frame(&self, number: usize, planned: Instant, handed: Instant) {
        if let Some(exchange) = &self.exchange {
            let request_id = &exchange.request_id;
            self.sink.frame(&HandedFrame { request_id, number, planned, handed });
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

fn now() -> u64 {
    unix_nanos(SystemTime::now())
}

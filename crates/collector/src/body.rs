use axum::body::Body;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt as _;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Reads bodies, each within a size and a time, and all together within a budget: a client that sends slowly, or many
/// that do, cannot make the collector hold more than that.
#[derive(Debug)]
pub(crate) struct BodyReader {
    max_bytes: usize,
    patience: Duration,
    /// One permit for each byte of all the bodies that are being read.
    budget: Arc<Semaphore>,
}

/// A whole body. Its share of the budget is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct WholeBody {
    /// Allocated to measure, so that who keeps it keeps no spare capacity.
    pub(crate) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    /// The budget is used up by other bodies.
    Busy,
    /// The client went away, or broke the protocol.
    Broken,
    /// It is called gzip, and is not.
    NotGzip,
}

impl BodyReader {
    /// How many bodies of the largest size may be under way at once.
    const LARGEST_AT_ONCE: usize = 4;
    /// What a refused client may send in any case, so that it gets to see why.
    const DISCARD_AT_LEAST: usize = 1 << 20;
    /// How much is decompressed before limit and budget are looked at again.
    const INFLATE_AT_ONCE: usize = 64 << 10;

    pub(crate) fn new(max_bytes: usize, patience: Duration) -> Self {
        let budget = max_bytes.saturating_mul(Self::LARGEST_AT_ONCE).min(Semaphore::MAX_PERMITS);
        Self { max_bytes, patience, budget: Arc::new(Semaphore::new(budget)) }
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Reads a body to its end.
    pub(crate) async fn read(&self, body: &mut Body) -> Result<WholeBody, BodyError> {
        timeout(self.patience, self.collect(body)).await.unwrap_or(Err(BodyError::TooSlow))
    }

    async fn collect(&self, body: &mut Body) -> Result<WholeBody, BodyError> {
        let (mut bytes, mut share) = (Vec::new(), None::<OwnedSemaphorePermit>);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            self.take(&mut bytes, &mut share, &data)?;
        }
        Ok(WholeBody { bytes: Bytes::from(bytes.into_boxed_slice()), _share: share })
    }

    /// Decompresses a body that came as gzip, on the calling thread, within the same limit and the same budget as if it had
    /// come as it is: whatever a few bytes claim to hold, no more is taken from them than could have been sent.
    pub(crate) fn inflate(&self, body: &WholeBody) -> Result<WholeBody, BodyError> {
        let mut decoder = MultiGzDecoder::new(&body.bytes[..]);
        let (mut bytes, mut share) = (Vec::new(), None);
        let mut chunk = vec![0; Self::INFLATE_AT_ONCE];
        loop {
            let len = decoder.read(&mut chunk).map_err(|_| BodyError::NotGzip)?;
            if len == 0 {
                return Ok(WholeBody { bytes: Bytes::from(bytes.into_boxed_slice()), _share: share });
            }
            self.take(&mut bytes, &mut share, &chunk[..len])?;
        }
    }

    /// Adds what has come of a body, if it may be that large, and there is room for it beside the others.
    fn take(
        &self,
        bytes: &mut Vec<u8>,
        share: &mut Option<OwnedSemaphorePermit>,
        data: &[u8],
    ) -> Result<(), BodyError> {
        if data.len() > self.max_bytes - bytes.len() {
            return Err(BodyError::TooLarge);
        }
        let len = u32::try_from(data.len()).map_err(|_| BodyError::TooLarge)?;
        let more = Arc::clone(&self.budget).try_acquire_many_owned(len).map_err(|_| BodyError::Busy)?;
        match share {
            Some(share) => share.merge(more),
            None => *share = Some(more),
        }
        bytes.extend_from_slice(data);
        Ok(())
    }

    /// Lets a client that is about to be refused send its body to the end, unless it is far too long: one that is
    /// still writing when the connection closes sees a reset, and not the answer.
    pub(crate) async fn discard(&self, body: &mut Body) {
        let enough = self.max_bytes.saturating_mul(2).max(Self::DISCARD_AT_LEAST);
        let discard = async {
            let mut seen = 0;
            while let Some(Ok(frame)) = body.frame().await
                && seen <= enough
            {
                seen += frame.data_ref().map_or(0, Bytes::len);
            }
        };
        let _ = timeout(self.patience, discard).await;
    }
}

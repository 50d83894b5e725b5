//! What the tests of this crate share: an owned batch, its writer, and its comparison with what was decoded.

use trackside_wire::{Batch, BatchHead, Header, Kind, Kinds, Lane, RunId, Site, Strand, write_head};

/// A batch that owns its text, so that proptest can make it up.
#[derive(Debug, Clone)]
pub(crate) struct OwnedBatch {
    pub(crate) run: RunId,
    pub(crate) batch: u64,
    pub(crate) service: String,
    pub(crate) instance: String,
    pub(crate) environment: String,
    pub(crate) pid: u32,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) base_unix_ns: u64,
    pub(crate) recorded: u64,
    pub(crate) lost: Vec<(String, u64)>,
    pub(crate) unsampled: u64,
    pub(crate) off: Kinds,
    pub(crate) strings: Vec<String>,
    pub(crate) sites: Vec<Site>,
    pub(crate) strands: Vec<Strand>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) rows: Vec<OwnedRow>,
}

/// An event row; `a` and `b` are MessagePack.
#[derive(Debug, Clone)]
pub(crate) struct OwnedRow {
    pub(crate) lane: u32,
    pub(crate) kind: Kind,
    pub(crate) time_ns: u64,
    pub(crate) site: Option<u32>,
    pub(crate) name: Option<u32>,
    pub(crate) a: Vec<u8>,
    pub(crate) b: Vec<u8>,
}

impl OwnedBatch {
    pub(crate) fn header(&self) -> Header<'_> {
        Header {
            run: self.run,
            batch: self.batch,
            service: &self.service,
            instance: &self.instance,
            environment: &self.environment,
            pid: self.pid,
            tags: self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            base_unix_ns: self.base_unix_ns,
            recorded: self.recorded,
            lost: self.lost.iter().map(|(reason, count)| (reason.as_str(), *count)).collect(),
            unsampled: self.unsampled,
            off: self.off,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let head = BatchHead {
            header: &self.header(),
            strings: &self.strings,
            sites: &self.sites,
            strands: &self.strands,
            lanes: &self.lanes,
            events: self.rows.len(),
        };
        write_head(&mut out, &head);
        self.rows.iter().for_each(|row| row.encode(&mut out));
        out
    }

    /// Asserts that `batch` says the same, event by event, with the ids and steps that the lanes imply.
    #[track_caller]
    pub(crate) fn assert_same(&self, batch: &Batch<'_>) {
        assert_eq!(batch.header, self.header());
        assert_eq!(batch.strings, self.strings);
        assert_eq!(batch.sites, self.sites);
        assert_eq!(batch.strands, self.strands);
        assert_eq!(batch.lanes, self.lanes);
        assert_eq!(batch.len(), self.rows.len());
        assert_eq!(batch.events().len(), self.rows.len());
        let mut seen = vec![0u64; self.lanes.len()];
        let mut events = batch.events();
        for row in &self.rows {
            let event = events.next().expect("as many events as rows");
            let (lane, nth) = (&self.lanes[row.lane as usize], &mut seen[row.lane as usize]);
            assert_eq!((event.id.run, event.id.ring, event.id.seq), (self.run, lane.ring, lane.first_seq + *nth));
            assert_eq!(event.step, lane.first_step + *nth);
            *nth += 1;
            assert_eq!((event.lane, event.kind, event.time_ns), (row.lane, row.kind, row.time_ns));
            assert_eq!((event.site, event.name), (row.site, row.name));
            assert_eq!((event.a.as_bytes(), event.b.as_bytes()), (&row.a[..], &row.b[..]));
        }
        assert!(events.next().is_none());
    }
}

impl OwnedRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        rmp::encode::write_array_len(out, 7).unwrap();
        for value in [u64::from(self.lane), u64::from(self.kind.code()), self.time_ns] {
            rmp::encode::write_uint(out, value).unwrap();
        }
        for index in [self.site, self.name] {
            match index {
                Some(index) => drop(rmp::encode::write_uint(out, u64::from(index)).unwrap()),
                None => rmp::encode::write_nil(out).unwrap(),
            }
        }
        out.extend_from_slice(&self.a);
        out.extend_from_slice(&self.b);
    }
}

/// MessagePack of something simple, for the values of rows.
pub(crate) mod msgpack {
    pub(crate) const NIL: &[u8] = &[0xc0];

    pub(crate) fn uint(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_uint(&mut out, value).unwrap();
        out
    }

    pub(crate) fn int(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_sint(&mut out, value).unwrap();
        out
    }

    pub(crate) fn float(value: f64) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_f64(&mut out, value).unwrap();
        out
    }

    pub(crate) fn str(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_str(&mut out, text).unwrap();
        out
    }

    pub(crate) fn bin(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_bin(&mut out, bytes).unwrap();
        out
    }

    pub(crate) fn ext(kind: i8, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_ext_meta(&mut out, u32::try_from(bytes.len()).unwrap(), kind).unwrap();
        out.extend_from_slice(bytes);
        out
    }

    pub(crate) fn array(elements: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_array_len(&mut out, u32::try_from(elements.len()).unwrap()).unwrap();
        elements.iter().for_each(|element| out.extend_from_slice(element));
        out
    }

    pub(crate) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_map_len(&mut out, u32::try_from(entries.len()).unwrap()).unwrap();
        for (key, value) in entries {
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
        out
    }
}

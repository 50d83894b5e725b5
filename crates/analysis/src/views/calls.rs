use crate::traces::Trace;
use std::collections::BTreeMap;

/// How often one service called another one, as far as both ends are in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCalls {
    /// Who called.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// How many calls there were.
    pub calls: u64,
    /// In how many traces.
    pub traces: u64,
}

/// The calls between services, the most frequent first, then by name.
pub fn service_calls(traces: &[Trace]) -> Vec<ServiceCalls> {
    let mut pairs: BTreeMap<(&str, &str), (u64, u64, &str)> = BTreeMap::new();
    for trace in traces {
        for call in &trace.calls {
            let pair = pairs.entry((service(&call.from.process), service(&call.to.process))).or_default();
            pair.0 += 1;
            // Traces come one after the other, so it is enough to remember the latest.
            if pair.2 != trace.id {
                (pair.1, pair.2) = (pair.1 + 1, &trace.id);
            }
        }
    }
    let entry = |((from, to), (calls, traces, _)): ((&str, &str), (u64, u64, &str))| ServiceCalls {
        from: from.to_owned(),
        to: to.to_owned(),
        calls,
        traces,
    };
    let mut list: Vec<ServiceCalls> = pairs.into_iter().map(entry).collect();
    list.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to))));
    list
}

/// The service in `service#instance`.
fn service(process: &str) -> &str {
    process.split_once('#').map_or(process, |(service, _)| service)
}

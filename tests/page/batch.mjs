// Batches by hand, in the format of crates/wire: what the tests send can hold any name and any value.

/** MessagePack, as far as batches need it. */
class Writer {
  #buffer = Buffer.alloc(1 << 16);
  #length = 0;

  #room(more) {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + more));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }

  bytes(...bytes) {
    this.#room(bytes.length);
    for (const byte of bytes) this.#buffer[this.#length++] = byte;
  }

  uint(value) {
    this.#room(9);
    if (typeof value === "number" && value < 0x80) this.#buffer[this.#length++] = value;
    else if (typeof value === "number" && value < 0x10000) {
      this.#buffer[this.#length] = 0xcd;
      this.#length = this.#buffer.writeUInt16BE(value, this.#length + 1);
    } else {
      this.#buffer[this.#length] = 0xcf;
      this.#length = this.#buffer.writeBigUInt64BE(BigInt(value), this.#length + 1);
    }
  }

  raw(bytes) {
    this.#room(bytes.length);
    this.#length += bytes.copy(this.#buffer, this.#length);
  }

  text(value) {
    const bytes = Buffer.from(value);
    this.bytes(0xdb);
    this.#room(4);
    this.#length = this.#buffer.writeUInt32BE(bytes.length, this.#length);
    this.raw(bytes);
  }

  array(length) {
    this.#sized(0xdd, length);
  }

  map(length) {
    this.#sized(0xdf, length);
  }

  #sized(marker, length) {
    this.bytes(marker);
    this.#room(4);
    this.#length = this.#buffer.writeUInt32BE(length, this.#length);
  }

  /** Null, a truth value, an unsigned integer, text, an array of these. */
  value(value) {
    if (value === null || value === undefined) this.bytes(0xc0);
    else if (typeof value === "boolean") this.bytes(value ? 0xc3 : 0xc2);
    else if (typeof value === "string") this.text(value);
    else if (Array.isArray(value)) {
      this.array(value.length);
      value.forEach((element) => this.value(element));
    } else this.uint(value);
  }

  done() {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }
}

export const KIND = {
  read: 0, write: 1, call: 5, return: 6, request: 7, response: 8, acquire: 13, release: 14, error: 18, custom: 19, callSent: 20, callReturned: 21,
};

/**
 * A batch. `strands` are objects of `number`, `events` and perhaps `trace`, `span`, `entry`, `name`, `thread`, `step`, `lostBefore`,
 * `after`. An event is `[kind, name, a, b, place]`; a place is `[file, line]`. Strands take turns, an event each.
 */
export function batch({ run = 1, number = 0, service = "bank", instance = "bank-1", lost = {}, recorded, at = 1_700_000_000_000_000_000n, strands }) {
  const strings = [];
  const numbers = new Map();
  const intern = (text) => {
    if (text === null || text === undefined) return null;
    if (!numbers.has(text)) numbers.set(text, strings.push(text) - 1);
    return numbers.get(text);
  };
  const sites = [];
  const places = new Map();
  const site = ([file, line]) => {
    const key = `${line} ${file}`;
    if (!places.has(key)) places.set(key, sites.push([intern(file), line, 5]) - 1);
    return places.get(key);
  };
  const rows = new Writer();
  const most = Math.max(0, ...strands.map((strand) => strand.events.length));
  let count = 0;
  for (let turn = 0; turn < most; turn++) {
    strands.forEach((strand, lane) => {
      const event = strand.events[turn];
      if (!event) return;
      const [kind, name, a, b, place = ["src/bank.rs", 42]] = event;
      rows.array(7);
      rows.uint(lane);
      rows.uint(kind);
      rows.uint(1000 * (count += 1));
      rows.uint(site(place));
      rows.value(intern(name));
      rows.value(a);
      rows.value(b);
    });
  }
  const names = strands.map((strand) => [intern(strand.name), intern(strand.thread)]);
  const out = new Writer();
  out.array(7);
  out.uint(1);
  out.array(12);
  [run, number].forEach((value) => out.uint(value));
  [service, instance, "test"].forEach((text) => out.text(text));
  out.uint(7);
  out.map(0);
  out.uint(at);
  out.uint(recorded ?? count);
  out.map(Object.keys(lost).length);
  for (const [reason, lostCount] of Object.entries(lost)) {
    out.text(reason);
    out.uint(lostCount);
  }
  out.uint(0);
  out.uint(0);
  out.array(strings.length);
  strings.forEach((text) => out.text(text));
  out.value(sites);
  out.array(strands.length);
  strands.forEach((strand, at_) => {
    out.array(7);
    out.uint(strand.number);
    const trace = Buffer.alloc(16);
    trace.writeBigUInt64BE(BigInt(strand.trace ?? 1), 8);
    out.bytes(0xc4, 16);
    out.raw(trace);
    out.uint(strand.span ?? 0);
    out.uint(strand.upstream ?? 0);
    out.value(strand.entry ?? false);
    out.value(names[at_][0]);
    out.array(0);
  });
  out.array(strands.length);
  strands.forEach((strand, at_) => {
    out.array(8);
    const step = strand.step ?? 0;
    [strand.number, step, at_, step, strand.lostBefore ?? 0].forEach((value) => out.uint(value));
    out.value(names[at_][1]);
    out.array(0);
    out.value(strand.after ?? []);
  });
  out.array(count);
  out.raw(rows.done());
  return out.done();
}

/** Two strands that write `variable` and know nothing of each other. */
export function race(variable, { thread = ["one", "two"], place, values = [1, 2], ...rest } = {}) {
  const strand = (at) => ({ number: at, thread: thread[at], events: [[KIND.write, variable, 0, values[at], place]] });
  return batch({ ...rest, strands: [strand(0), strand(1)] });
}

// Numbers, times and places in words.

const NUMBER = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const number = (count) => NUMBER.format(count);
export const short = (count) => (count < 10_000 ? NUMBER.format(count) : SHORT.format(count));
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
export const times = (count) => (count === 1 ? "once" : `${number(count)} times`);

/** A duration in nanoseconds, with three digits. */
export function duration(ns) {
  if (ns === null || ns === undefined) return "";
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
    if (ns >= size) return `${digits(ns / size)} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}

export function bytes(count) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (count >= size) return `${digits(count / size)} ${unit}`;
  }
  return `${count} B`;
}

function digits(value) {
  return value >= 100 ? NUMBER.format(Math.round(value)) : value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

/** How long ago, from milliseconds. */
export function ago(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 2) return "just now";
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

/** A moment, from Unix nanoseconds as text. */
export function clock(unixNs) {
  const ms = Number(BigInt(unixNs) / 1_000_000n);
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "";
  const two = (part) => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** A place in the source. */
export function place({ file, line, column }) {
  if (!file) return "at an unknown place";
  return [file, line, column].filter((part) => part !== null && part !== undefined).join(":");
}

/** The last part of a path, for where there is little room. */
export function shortPlace({ file, line }) {
  if (!file) return "";
  return `${file.slice(-200).split(/[\\/]/).pop()}:${line ?? "?"}`;
}

export const KINDS = {
  lost_update: "lost update",
  data_race: "data race",
  potential_deadlock: "potential deadlock",
  recursive_read: "recursive read lock",
  held_across_await: "held across await",
  inconsistent_locking: "inconsistent locking",
  other: "finding",
};

export const ACCESS = {
  read: "read",
  write: "wrote",
  atomic_read: "read atomically",
  atomic_write: "wrote atomically",
  atomic_rmw: "updated atomically",
  acquire: "took",
  acquire_shared: "took, shared",
  suspended: "was not ready",
  other: "did something else",
};

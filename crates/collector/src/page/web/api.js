// Requests to the collector that this page came from, and to nobody else.

const KEY = "trackside.key";
let key = null;
try {
  key = sessionStorage.getItem(KEY);
} catch {
  // It is asked for again after a reload, then.
}

/** Why there is no answer: `status` is that of HTTP, or 0 if the collector did not answer at all. */
export class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The key to show from now on; kept for as long as the tab is open. */
export function useKey(given) {
  key = given;
  try {
    if (given === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, given);
  } catch {
    // As above.
  }
}

async function request(path, { signal, tag } = {}) {
  const headers = {};
  if (key !== null) headers.Authorization = `Bearer ${key}`;
  if (tag) headers["If-None-Match"] = tag;
  let answer;
  try {
    answer = await fetch(path, { headers, signal, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, "the collector does not answer");
  }
  if (!answer.ok && answer.status !== 304) {
    const told = await answer.text().catch(() => "");
    throw new Failure(answer.status, told.trim().slice(0, 500) || `status ${answer.status}`);
  }
  return answer;
}

const known = new Map();

/** The answer to `GET path`; the one from before, if it has not changed. */
export async function get(path, { signal } = {}) {
  const before = known.get(path);
  const answer = await request(path, { signal, tag: before?.tag });
  if (answer.status === 304) return before.body;
  let body;
  try {
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, "the collector broke off in the middle of its answer");
  }
  const tag = answer.headers.get("ETag");
  known.delete(path);
  if (tag) known.set(path, { tag, body });
  if (known.size > 20) known.delete(known.keys().next().value);
  return body;
}

/** Calls `take` with each server-sent event, until the stream ends. */
export async function listen(path, take, { signal, opened } = {}) {
  const answer = await request(path, { signal });
  opened?.();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5));
        if (data.length) take(JSON.parse(data.join("\n")));
      }
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, "the connection to the collector broke off");
  } finally {
    reader.cancel().catch(() => {});
  }
}

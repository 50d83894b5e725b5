// A collector, a browser, and what is sent to the one and seen in the other.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const COLLECTOR = process.env.TRACKSIDE_BIN ?? "../../target/debug/trackside";
const BROWSER = process.env.CHROMIUM || "/usr/bin/chromium";

/** Starts `trackside serve --memory` on a free port, or on `port`. */
export async function collector({ key, port = 0, args = [] } = {}) {
  const env = { ...process.env, ...(key ? { PAGE_KEY: key } : {}) };
  const all = ["serve", "--memory", "--listen", `127.0.0.1:${port}`, ...(key ? ["--api-key-env", "PAGE_KEY"] : []), ...args];
  const child = spawn(COLLECTOR, all, { env, stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^Listening on (\S+)/.exec(line)?.[1];
    if (!url) continue;
    child.stdout.resume();
    const stop = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    };
    const headers = key ? { Authorization: `Bearer ${key}` } : {};
    const get = async (path) => (await fetch(url + path, { headers })).json();
    const send = async (...batches) => {
      for (const body of batches) {
        const type = "application/vnd.trackside.v1+msgpack";
        const answer = await fetch(`${url}/events`, { method: "POST", headers: { ...headers, "Content-Type": type }, body });
        if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
      }
    };
    /** Waits until all that was sent is analysed. */
    const analysed = async () => {
      for (;;) {
        const { analysis } = await get("/api/overview?limit=1");
        if (analysis.number > 0 && !analysis.running && !analysis.outdated) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    return { url, port: Number(new URL(url).port), stop, get, send, analysed };
  }
  throw new Error("the collector did not start");
}

/** Runs the example `shop` against a collector. */
export async function shop({ url }) {
  const child = spawn(process.env.TRACKSIDE_SHOP ?? "../../target/debug/examples/shop", [url], { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`the example shop ended with ${code}`);
}

export const browser = () => chromium.launch({
  executablePath: BROWSER,
  args: ["--no-sandbox", "--disable-gpu", "--disable-lcd-text", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--font-render-hinting=none"],
});

/**
 * A page that notes whatever it should not do: ask others, break its policy, open a dialog, log an error, or run `pwned`.
 * `pwned` is what hostile names call.
 */
export async function open(browser, url, { scheme = "light", width = 1280, height = 860, motion = "reduce", bypassCSP = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, bypassCSP, colorScheme: scheme, reducedMotion: motion, locale: "en-GB", timezoneId: "UTC" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrongs = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`)) wrongs.push(`asked ${request.url().slice(0, 200)}`);
  });
  page.on("dialog", (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => wrongs.push(`error: ${error.stack}`));
  page.on("console", (message) => {
    // A request that is answered with an error is told on the console; that is no fault of the page.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) wrongs.push(`console: ${message.text()}`);
  });
  await page.exposeFunction("pwned", (how) => wrongs.push(`ran: ${how}`));
  await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.sample}`)));
  return { page, context, wrongs };
}

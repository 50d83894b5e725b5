// What the page shows, and that it can be used without a mouse.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KIND, batch, race } from "./batch.mjs";
import { browser as launch, collector, open, shop } from "./support.mjs";

/** What a write is called whose update is lost, if that is proven of this very one, or may be. */
const LOST = /its update (gets|may get) lost/;
const DOCS = process.env.PAGE_SHOTS;
let browser, full;

before(async () => {
  browser = await launch();
  full = await collector();
  await shop(full);
  await full.analysed();
});

after(async () => {
  await browser?.close();
  await full?.stop();
});

/** Opens a page for `steps`, and wants nothing to have gone wrong on it. */
async function visit(url, steps, options) {
  const { page, context, wrongs } = await open(browser, url, options);
  try {
    await steps(page);
    assert.deepEqual(wrongs, []);
  } finally {
    await context.close();
  }
}

const row = (page) => page.evaluate(() => document.activeElement?.dataset?.row ?? null);
const hash = (page) => page.evaluate(() => location.hash);
const shot = async (page, name, options = {}) => DOCS && page.screenshot({ path: `${DOCS}/page-${name}.png`, ...options });

test("the views show what an example has recorded", async () => {
  for (const scheme of ["light", "dark"]) {
    await visit(full.url, async (page) => {
      await page.goto(full.url);
      await page.waitForSelector(".findings a");
      assert.ok(await page.getByText("till.sum").first().isVisible());
      await shot(page, `findings-${scheme}`, { clip: { x: 0, y: 0, width: 1280, height: 680 } });
      assert.equal(await page.title(), "Findings · trackside");
    }, { scheme });
  }
  const { findings } = await full.get("/api/overview");
  const of = (kind) => findings.find((finding) => finding.kind === kind);
  await visit(full.url, async (page) => {
    // A lost update: both strands, all three accesses, and the moment it was lost.
    await page.goto(`${full.url}/#/findings/${of("lost_update").id}`);
    await page.waitForSelector(".timeline .moment");
    assert.equal(await page.locator(".lane-head").count(), 2);
    for (const mark of ["the read", LOST, "overwrites it"]) assert.equal(await page.locator(".mark", { hasText: mark }).count(), 1, String(mark));
    const middle = async (mark) => (await page.locator(".events li.event", { has: page.locator(".mark", { hasText: mark }) }).boundingBox()).y;
    const moment = (await page.locator(".moment").boundingBox()).y;
    assert.ok(await middle("the read") < await middle("overwrites it") && await middle(LOST) < moment && await middle("overwrites it") < moment);
    assert.match(await page.locator(".side .where").first().textContent(), /examples\/shop\.rs:\d+/);
    await shot(page, "finding", { clip: { x: 0, y: 0, width: 1280, height: 1000 } });
    // A deadlock: the locks as bars, and arrows from who gave one back to who took it next.
    await page.goto(`${full.url}/#/findings/${of("potential_deadlock").id}`);
    await page.waitForSelector(".timeline .held");
    assert.ok(await page.locator(".wires .arrow").count() >= 2);
    assert.equal(await page.locator(".orders li").count(), 3);
    assert.ok(await page.getByText("after lock shelf.games of clerk-dee").first().isVisible());
    await shot(page, "deadlock", { clip: { x: 0, y: 0, width: 1280, height: 1040 } });
    await page.goto(`${full.url}/#/findings/${of("inconsistent_locking").id}`);
    await page.getByText("Who holds the lock").waitFor();
  }, { height: 1100 });
  await visit(full.url, async (page) => {
    await page.goto(`${full.url}/#/traces`);
    await page.locator(".traces a", { hasText: "1 error" }).click();
    await page.waitForSelector(".fall-name");
    assert.deepEqual(await page.locator(".falls .service").allTextContents().then((names) => names.sort()), ["billing#billing-1", "shop#shop-1", "stock#stock-1"]);
    assert.equal(await page.locator(".bar.mark-call").count(), 2);
    assert.equal(await page.locator(".point.mark-error").count(), 1);
    await page.locator(".fall-name", { hasText: "billing" }).click();
    assert.ok(await page.getByText("CardDeclined").isVisible());
    await shot(page, "trace", { clip: { x: 0, y: 0, width: 1280, height: 520 } });
    await page.goto(`${full.url}/#/locks`);
    await page.locator(".lock-row", { hasText: "ledger" }).first().click();
    assert.ok(await page.getByText("Who waited longest").isVisible());
    assert.equal(await page.locator(".edge.wrong").count(), 3);
    await shot(page, "locks", { fullPage: true });
  });
});

test("each view has one heading, its landmarks, and colours that can be read", async () => {
  const { findings } = await full.get("/api/overview");
  const { traces } = await full.get("/api/traces");
  const places = ["findings", `findings/${findings[0].id}`, "traces", `traces/${traces[0].id}`, "locks", "live"];
  for (const scheme of ["light", "dark"]) {
    await visit(full.url, async (page) => {
      for (const place of places) {
        await page.goto(`${full.url}/#/${place}`);
        await page.waitForSelector("main h1", { state: "attached" });
        await page.waitForSelector("main .loading", { state: "detached" });
        const told = await page.evaluate(judge);
        assert.deepEqual({ ...told, place }, { headings: 1, mains: 1, navs: true, unnamed: [], pale: [], wide: false, place }, scheme);
      }
    }, { scheme });
  }
  await visit(full.url, async (page) => {
    for (const place of places) {
      await page.goto(`${full.url}/#/${place}`);
      await page.waitForSelector("main h1", { state: "attached" });
      assert.ok(!(await page.evaluate(judge)).wide, `${place} is wider than a telephone`);
    }
  }, { width: 360, height: 740 });
});

/** Runs in the page: what a person with a screen reader, or tired eyes, would stumble over. */
function judge() {
  const parse = (color) => (color.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const pale = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("svg, .unseen, noscript, dialog:not([open]), [aria-hidden]") || !element.offsetParent) continue;
    const [one, other] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) pale.push(`${ratio.toFixed(2)} ${element.className} ${walker.currentNode.data.slice(0, 30)}`);
  }
  const unnamed = [...document.querySelectorAll("button, a, input")].filter((element) => {
    const label = element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.[0]?.textContent;
    return !label;
  });
  return {
    headings: document.querySelectorAll("main h1").length,
    mains: document.querySelectorAll("main").length,
    navs: document.querySelector("nav[aria-label]") !== null,
    unnamed: unnamed.map((element) => element.className || element.tagName),
    pale: [...new Set(pale)],
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  };
}

test("everything can be reached with the keyboard", async () => {
  const { findings } = await full.get("/api/overview");
  await visit(full.url, async (page) => {
    const key = page.keyboard;
    await page.goto(full.url);
    await page.waitForSelector(".findings a");
    // The first thing to come to skips the bar.
    await key.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "skip");
    await key.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await key.press("j");
    assert.equal(await row(page), findings[0].id);
    await key.press("ArrowDown");
    await key.press("j");
    await key.press("k");
    assert.equal(await row(page), findings[1].id);
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(ring, "solid", "the row that has the focus shows it");
    await key.press("Enter");
    await page.waitForSelector("article.finding");
    assert.equal(await hash(page), `#/findings/${findings[1].id}`);
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
    await page.getByText(`2 of ${findings.length}`).waitFor();
    await key.press("]");
    await page.getByText(`3 of ${findings.length}`).waitFor();
    assert.equal(await hash(page), `#/findings/${findings[2].id}`);
    await key.press("[");
    await page.getByText(`2 of ${findings.length}`).waitFor();
    await key.press("Escape");
    await page.waitForSelector(".findings a");
    assert.equal(await row(page), findings[1].id, "back where it was opened");
    // The filter takes letters as letters.
    await key.press("/");
    await key.type("shelf jt?");
    assert.equal(await page.locator(".findings a").count(), 0);
    await key.press("Escape");
    assert.equal(await page.locator(".findings a").count(), findings.length);
    await key.type("shelf");
    assert.equal(await page.locator(".findings a").count(), 1);
    await key.press("Escape");
    await key.press("Escape");
    assert.notEqual(await page.evaluate(() => document.activeElement.type), "search");
    await key.press("?");
    assert.ok(await page.locator("dialog[open]").isVisible());
    await key.press("j");
    await key.press("Escape");
    assert.equal(await page.locator("dialog[open]").count(), 0);
    await key.press("t");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
    await key.press("t");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    await key.press("t");
    await key.press("2");
    await page.waitForSelector(".traces a");
    await key.press("j");
    await key.press("Enter");
    await page.waitForSelector(".fall-name");
    await key.press("j");
    await key.press("Enter");
    assert.ok(await page.locator(".fall-detail").first().isVisible());
    await key.press("Escape");
    await page.waitForSelector(".traces a");
    assert.notEqual(await row(page), null);
    await key.press("3");
    await page.waitForSelector(".lock-row");
    await key.press("j");
    await key.press("Enter");
    assert.ok(await page.locator(".lock-detail").first().isVisible());
    await key.press("4");
    await page.waitForSelector(".figure");
    await key.press("1");
    await page.waitForSelector(".findings a");
  });
});

test("a filter, a kind, a link to one finding", async () => {
  const { findings } = await full.get("/api/overview");
  await visit(full.url, async (page) => {
    await page.goto(full.url);
    const count = () => page.locator(".findings a").count();
    await page.waitForSelector(".findings a");
    await page.getByRole("button", { name: /data race/ }).click();
    assert.equal(await count(), findings.filter((finding) => finding.kind === "data_race").length);
    await page.getByRole("button", { name: /data race/ }).click();
    assert.equal(await count(), findings.length);
    await page.getByLabel("Filter findings").fill("no such thing");
    assert.ok(await page.getByText("Nothing matches the filter.").isVisible());
    await page.goto(`${full.url}/#/findings/${findings.at(-1).id}`);
    await page.reload();
    await page.waitForSelector("article.finding");
    assert.ok((await page.title()).startsWith(findings.at(-1).variable));
    await page.goto(`${full.url}/#/somewhere/else`);
    await page.waitForFunction(() => location.hash === "#/findings");
  });
});

test("nothing yet, and nothing found", async () => {
  const one = await collector();
  try {
    await visit(one.url, async (page) => {
      await page.goto(one.url);
      await page.getByText("Nothing has been recorded yet").waitFor();
      assert.ok(await page.getByText(`Client::builder("${one.url}")`).isVisible());
      for (const [view, words] of [["traces", "No traces yet"], ["locks", "No locks yet"]]) {
        await page.goto(`${one.url}/#/${view}`);
        await page.getByText(words).waitFor();
      }
      await page.goto(`${one.url}/#/findings`);
      // What comes in shows up without a reload.
      await one.send(batch({ run: 1, lost: { ring_full: 3 }, recorded: 5, strands: [{ number: 0, events: [[KIND.write, "calm", 0, 1], [KIND.read, "calm", null, 1]] }] }));
      await page.getByText("No data race, no lost update, no misuse of locks").waitFor();
      assert.ok(await page.getByText("ring_full 3").isVisible());
      await one.send(race("stormy", { run: 2 }));
      await page.getByText("stormy").first().waitFor();
    });
  } finally {
    await one.stop();
  }
});

test("a hole in the record is told beside what it could overturn", async () => {
  const one = await collector();
  try {
    const strand = (number) => ({ number, step: 7, lostBefore: 2, thread: `t${number}`, events: [[KIND.write, "holey", 0, number]] });
    await one.send(batch({ run: 1, lost: { ring_full: 4 }, recorded: 20, strands: [strand(1), strand(2)] }));
    await visit(one.url, async (page) => {
      await page.goto(one.url);
      await page.locator(".findings a .hole", { hasText: "incomplete" }).first().waitFor();
      await page.locator(".findings a").first().click();
      await page.getByText("The record is incomplete:").waitFor();
      assert.equal(await page.locator(".skip-row.hole").count(), 2);
      assert.ok(await page.getByText("2 events lost").first().isVisible());
    });
  } finally {
    await one.stop();
  }
});

test("the collector goes away and comes back", async () => {
  let one = await collector();
  const { url, port } = one;
  await one.send(race("here"));
  await one.analysed();
  try {
    await visit(url, async (page) => {
      await page.goto(url);
      await page.getByText("here").first().waitFor();
      await one.stop();
      await page.getByText("The collector does not answer").waitFor();
      assert.ok(await page.getByText("here").first().isVisible(), "what was there stays");
      await page.locator(".findings a").first().click();
      await page.locator(".error").getByText("The collector does not answer.").waitFor();
      one = await collector({ port });
      await one.send(race("here"));
      await one.analysed();
      await page.getByRole("button", { name: "Try again" }).click();
      await page.waitForSelector("article.finding");
      await page.locator(".notice").waitFor({ state: "detached" });
      await page.goto(`${url}/#/findings/0123456789abcdef`);
      await page.getByText("There is no such thing here.").waitFor();
      await page.goto(`${url}/#/live`);
      await page.getByText("updated once a second").waitFor();
      await one.stop();
      await page.getByText("no connection to the collector").waitFor();
      one = await collector({ port });
      await page.getByText("updated once a second").waitFor();
    });
  } finally {
    await one.stop();
  }
});

test("a collector with a key asks for it", async () => {
  const one = await collector({ key: "open-sesame" });
  try {
    await one.send(race("treasure"));
    await one.analysed();
    assert.equal((await fetch(`${one.url}/api/overview`)).status, 401);
    await visit(one.url, async (page) => {
      await page.goto(`${one.url}/#/live`);
      await page.getByLabel("API key").fill("open-barley");
      await page.keyboard.press("Enter");
      await page.getByText("That key is not the right one.").waitFor();
      assert.equal(await page.getByText("treasure").count(), 0);
      await page.getByLabel("API key").fill("ä key");
      await page.keyboard.press("Enter");
      await page.getByText("visible ASCII characters").waitFor();
      await page.getByLabel("API key").fill("open-sesame");
      await page.keyboard.press("Enter");
      await page.getByText("updated once a second").waitFor();
      await page.keyboard.press("1");
      await page.getByText("treasure").first().waitFor();
      await page.reload();
      await page.getByText("treasure").first().waitFor();
      const kept = await page.evaluate(() => [document.cookie, JSON.stringify(localStorage), location.href].join());
      assert.ok(!kept.includes("sesame"), "only for this tab, and never in an address");
    });
  } finally {
    await one.stop();
  }
});

test("what comes in shows while it comes", async () => {
  const one = await collector();
  let sending = true;
  const stream = (async () => {
    for (let number = 0; sending; number++) {
      const [service, pace] = [["api", 900], ["worker", 420], ["billing", 150]][number % 3];
      const count = Math.round(pace * (1 + 0.6 * Math.sin(number / 9)));
      const events = Array.from({ length: count }, (_, at) => [KIND.read, `cache.${at % 7}`, null, at]);
      await one.send(batch({ run: 1 + (number % 3), number, service, instance: `${service}-1`, lost: service === "worker" ? { ring_full: 12 + number } : {}, recorded: 1e6, strands: [{ number: 1, step: number * 5000, events }] }));
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  })();
  try {
    await visit(one.url, async (page) => {
      await page.goto(`${one.url}/#/live`);
      await page.locator(".live-tables td", { hasText: "worker" }).waitFor();
      await page.waitForFunction(() => Number(document.querySelector(".figure .big").textContent.replace(/[^\d]/g, "")) > 100);
      assert.ok(await page.locator(".live-tables code", { hasText: "ring_full" }).isVisible());
      if (DOCS) await page.waitForTimeout(14_000);
      await shot(page, "live", { clip: { x: 0, y: 0, width: 1280, height: 640 } });
    });
  } finally {
    sending = false;
    await stream.catch(() => {});
    await one.stop();
  }
});

test("a million events are no reason to wait", async () => {
  const one = await collector();
  try {
    const places = Array.from({ length: 20 }, (_, at) => ["src/work.rs", at + 1]);
    for (let number = 0; number < 50; number++) {
      const strand = (strand) => ({
        number: strand, step: number * 2500, thread: `worker-${strand}`,
        events: Array.from({ length: 2500 }, (_, at) => [at % 2, `cell.${(at * 7 + strand) % 40}`, at % 2 ? at : null, at + strand, places[(at + strand) % 20]]),
      });
      await one.send(batch({ run: 1, number, recorded: 1e6, strands: [0, 1, 2, 3, 4, 5, 6, 7].map(strand) }));
    }
    await one.analysed();
    const { summary, findings_total } = await one.get("/api/overview?limit=1");
    assert.ok(summary.events === 1_000_000 && findings_total > 100, `${summary.events} events, ${findings_total} findings`);
    await visit(one.url, async (page) => {
      const start = performance.now();
      await page.goto(one.url, { waitUntil: "commit" });
      await page.waitForSelector(".findings a");
      const took = performance.now() - start;
      console.log(`# first findings after ${Math.round(took)} ms, of ${findings_total}, with a million events stored`);
      assert.ok(took < 1000, `${took} ms`);
    });
  } finally {
    await one.stop();
  }
});

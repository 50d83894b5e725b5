// Names and values are whatever somebody sends. Nothing of it may run, go elsewhere, or look like something else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KIND, batch } from "./batch.mjs";
import { browser as launch, collector, open } from "./support.mjs";

const MARKUP = [
  `</script><script>pwned('script')</script>`,
  `<img src=x onerror="pwned('img')">`,
  `"><svg onload=pwned('svg')>`,
  `'><iframe srcdoc="<script>parent.pwned('frame')</script>"></iframe>`,
  `javascript:pwned('address')`,
  `<a href="javascript:pwned('link')" autofocus onfocus=pwned('focus')>click</a>`,
  `</title><style>*{background:url(http://127.0.0.1:1/leak)}</style>`,
  `<base href="http://127.0.0.1:1/"><meta http-equiv=refresh content="0;url=http://127.0.0.1:1/">`,
  "${pwned('template')}`${pwned('template')}`{{constructor.constructor(\"pwned('angular')\")()}}",
  `__proto__`,
  `constructor`,
  `../../../../etc/passwd`,
];
const HIDDEN = ["\u202egpj.exe", "nul\u0000inside", "bell\u0007 esc\u001b[31m", "\u2066isolate\u2069", "zero\u200bwidth", "line\u2028break", "\u{e0041}tag"];
const LONG = `${"x".repeat(1 << 20)}<img src=x onerror="pwned('long')">`;
const NAMES = [...MARKUP, ...HIDDEN];

let browser, one;

before(async () => {
  browser = await launch();
  one = await collector();
  const all = [...NAMES, LONG];
  for (const [at, name] of all.entries()) {
    const place = [name, at + 1];
    // In names and in two values of each strand, a megabyte is enough.
    const value = name.slice(0, 2000);
    const strand = (number) => ({
      number, trace: at + 1, name, thread: name,
      events: [
        [KIND.request, name, value, [value, value], place],
        [KIND.call, name, value, value, place],
        [KIND.acquire, `${name} outer`, 2, [number + 1, "Mutex", 5000], place],
        [KIND.acquire, name, 1, [number + 1, value, 5000], place],
        [KIND.release, name, 1, [number + 1, value], place],
        [KIND.release, `${name} outer`, 2, [number + 1, "Mutex"], place],
        [KIND.error, name, value, [value], place],
        [KIND.custom, name, value, null, place],
        [KIND.read, name, null, name, place],
        [KIND.write, name, value, `${name}${number}`, place],
        [KIND.return, name, value, 5, place],
        [KIND.response, null, 200, [null, value, 5], place],
      ],
    });
    await one.send(batch({ run: at + 1, service: name, instance: name, lost: { [name.slice(0, 5000)]: 3 }, recorded: 20, strands: [strand(1), strand(2)] }));
  }
  await one.analysed();
});

after(async () => {
  await browser?.close();
  await one?.stop();
});

/** No element that the page does not make itself. */
const strangers = (page) => page.evaluate(() => [
  ...document.querySelectorAll("body img, body iframe, body script, body style, body link, body base, body meta, body object, body embed, body [onerror], body [onload], body [onfocus], body [style*=url], a[href^=javascript]"),
].map((element) => element.outerHTML.slice(0, 200)));

test("hostile names and values are text, in every view", async () => {
  const overview = await one.get("/api/overview?limit=1000");
  assert.ok(overview.findings_total >= NAMES.length, `${overview.findings_total} findings`);
  const { traces } = await one.get("/api/traces?limit=1000");
  assert.equal(traces.length, NAMES.length + 1);
  // Without the policy, so that nothing but the page itself stands in the way.
  const { page, context, wrongs } = await open(browser, one.url, { bypassCSP: true });
  await page.goto(one.url);
  await page.waitForSelector(".findings a");
  const listed = await page.locator(".findings .name").allTextContents();
  for (const name of MARKUP) assert.ok(listed.some((text) => text.startsWith(name.slice(0, 80))), `${name} is shown as it is`);
  assert.deepEqual(await strangers(page), []);
  const seen = new Set();
  for (const { id, kind, variable } of overview.findings) {
    if (seen.has(kind + variable)) continue;
    seen.add(kind + variable);
    await page.goto(`${one.url}/#/findings/${id}`);
    await page.waitForFunction((id) => location.hash.endsWith(id) && document.querySelector("article.finding"), id);
    for (const more of await page.locator("main .more").all()) await more.click({ timeout: 5000 });
    assert.deepEqual(await strangers(page), []);
  }
  for (const { id } of traces) {
    await page.goto(`${one.url}/#/traces/${id}`);
    await page.waitForFunction((id) => document.querySelector(".trace h1 code")?.textContent === id, id);
    await page.locator(".fall-name").first().click();
    assert.deepEqual(await strangers(page), []);
  }
  await page.goto(`${one.url}/#/locks`);
  await page.waitForSelector(".lock-row");
  for (const lock of (await page.locator(".lock-row").all()).slice(0, 20)) await lock.click();
  await page.locator("summary").click();
  assert.deepEqual(await strangers(page), []);
  await page.goto(`${one.url}/#/live`);
  await page.waitForSelector(".live-tables td");
  assert.deepEqual(await strangers(page), []);
  assert.deepEqual(wrongs, []);
  await context.close();
});

test("what cannot be seen is spelled out, and does not turn its surroundings", async () => {
  const { page, context, wrongs } = await open(browser, one.url);
  await page.goto(one.url);
  await page.waitForSelector(".findings a");
  const told = (await page.locator(".findings .name").allTextContents()).join("\n");
  for (const shown of ["\\u{202e}gpj.exe", "nul\\u{0}inside", "esc\\u{1b}[31m", "\\u{2066}isolate\\u{2069}", "zero\\u{200b}width", "line\\u{2028}break"]) {
    assert.ok(told.includes(shown), `${shown} in ${told}`);
  }
  const left = await page.evaluate(() => /[\u0000-\u0008\u000b-\u001f\u200b\u202a-\u202e\u2028\u2066-\u2069]/.exec(document.body.innerText)?.[0] ?? null);
  assert.equal(left, null);
  assert.deepEqual(wrongs, []);
  await context.close();
});

test("a name of a megabyte is cut, and there in whole for who asks", async () => {
  const { findings } = await one.get("/api/overview?limit=1000");
  const long = findings.find((finding) => finding.variable.startsWith("xxxxxxxx"));
  assert.ok(long && long.variable.length < 300);
  const { page, context, wrongs } = await open(browser, one.url);
  const start = performance.now();
  await page.goto(`${one.url}/#/findings/${long.id}`);
  await page.waitForSelector("article.finding");
  assert.ok(performance.now() - start < 5000);
  assert.ok((await page.evaluate(() => document.querySelector("main").textContent.length)) < 100_000);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.ok(!wide, "the page does not grow sideways");
  assert.deepEqual(wrongs, []);
  await context.close();
});

test("the browser is told to run nothing else, and obeys", async () => {
  const { page, context, wrongs } = await open(browser, one.url);
  await page.goto(one.url);
  await page.waitForSelector(".findings a");
  const markup = await page.evaluate(() => {
    try {
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=pwned('markup')>");
      return "made";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(markup, "TypeError", "text does not become markup");
  const handler = await page.evaluate(() => {
    const image = document.createElement("img");
    try {
      image.setAttribute("onerror", "pwned('handler')");
      return "set";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(handler, "TypeError", "text does not become a handler");
  await page.evaluate(() => {
    const link = document.createElement("a");
    link.setAttribute("href", "javascript:pwned('address')");
    document.body.append(link);
    link.click();
  });
  const elsewhere = await page.evaluate(() => fetch("http://127.0.0.1:1/leak").then(() => "sent", () => "held back"));
  assert.equal(elsewhere, "held back");
  await page.waitForTimeout(200);
  assert.deepEqual(wrongs.filter((wrong) => wrong.startsWith("ran")), []);
  assert.ok(wrongs.some((wrong) => /policy: script-src/.test(wrong)) && wrongs.some((wrong) => /policy: connect-src/.test(wrong)), wrongs.join("\n"));
  await context.close();
});

test("a page of another origin learns nothing", async () => {
  const { page, context } = await open(browser, one.url);
  // Another port is another origin, but the same site; a name of its own is another site. Neither may read.
  const other = await collector();
  try {
    await page.goto(`${other.url}/health`);
    const read = await page.evaluate((url) => fetch(`${url}/api/overview`).then((answer) => answer.text(), (error) => error.name), one.url);
    assert.equal(read, "TypeError");
    const framed = await page.evaluate(async (url) => {
      const frame = document.createElement("iframe");
      frame.src = url;
      document.body.append(frame);
      await new Promise((resolve) => (frame.onload = resolve));
      try {
        return frame.contentDocument?.title ?? "closed";
      } catch {
        return "closed";
      }
    }, one.url);
    assert.equal(framed, "closed");
  } finally {
    await other.stop();
    await context.close();
  }
});

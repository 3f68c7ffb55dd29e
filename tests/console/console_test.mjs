// SPDX-License-Identifier: Apache-2.0
// console_test.mjs [FOLDER]: the console of a running `segue up` in a real Chromium, in Chinese and English. Screenshots go to FOLDER.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const kProgram = process.env.SEGUE_PROGRAM;
const kDefinitions = fileURLToPath(new URL('../../examples/definitions/shop.yaml', import.meta.url));
const kBrowser = process.env.SEGUE_CHROMIUM ?? '/usr/bin/chromium';
const kOdd = '小王/1?#%2F <b>x</b>';
const kHour = 3600e3;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'segue-console-'));
const pictures = process.argv[2] ?? folder;
fs.mkdirSync(pictures, { recursive: true });
const started = [];
let checks = 0;
const check = (value, what) => {
  assert.ok(value, what);
  ++checks;
};
const same = (value, wanted, what) => {
  assert.deepEqual(value, wanted, what);
  ++checks;
};

// A shop's last two days: visitors, some who look often, some who buy; one of them with a name that must be escaped everywhere.
function* events() {
  const now = Date.now();
  let n = 0;
  const event = (user_id, type, at, more = {}) => JSON.stringify({ event_id: `e-${n++}`, type, user_id, ts: now - at, ...more });
  for (let user = 0; user < 240; ++user) {
    const id = user === 7 ? kOdd : `u-${user}`;
    const clicks = user % 3 === 0 ? 1 : 4;
    for (let i = 0; i < clicks; ++i)
      yield event(id, 'click', 40 * kHour - user * 1e3 - i * kHour, { item_id: `i-${user % 20}`, category: ['女装', '零食', '家居'][user % 3], brand: `b-${user % 5}` });
    if (user % 4 === 3) yield event(id, 'purchase', 20 * kHour, { order_id: `o-${user}`, item_id: `i-${user % 20}`, category: '女装', price: 199.5, quantity: 1 });
    if (user % 8 === 7) yield event(id, 'purchase', 2 * kHour, { order_id: `p-${user}`, item_id: 'i-3', category: '零食', price: 59, quantity: 2 });
  }
  yield '{"event_id":"bad","type":"click"';
  yield event('u-1', 'teleport', kHour);
}

class Up {
  constructor(name, log, config = '') {
    this.directory = path.join(folder, name);
    fs.mkdirSync(path.join(this.directory, 'log'), { recursive: true });
    if (log) fs.writeFileSync(path.join(this.directory, 'log/0.ndjson'), log);
    const file = path.join(folder, `${name}.yaml`);
    fs.writeFileSync(file, `definitions: ${kDefinitions}\nhttp: {listen: '127.0.0.1:0'}\n${config}`);
    this.process = spawn(kProgram, ['up', this.directory, '--config', file], { stdio: ['ignore', 'inherit', 'pipe'] });
    started.push(this.process);
    this.said = '';
    this.process.stderr.on('data', (bytes) => {
      this.said += bytes;
    });
  }
  async address(what) {
    for (let i = 0; i < 600; ++i) {
      const found = this.said.match(new RegExp(`${what} at (https?://\\S+)`));
      if (found) return found[1].replace(/\/$/, '');
      assert.equal(this.process.exitCode, null, this.said);
      await pause(50);
    }
    throw new Error(`did not say where ${what} is: ${this.said}`);
  }
  async stop() {
    this.process.kill('SIGTERM');
    const code = await new Promise((resolve) => this.process.once('exit', resolve));
    assert.equal(code, 0, this.said);
  }
}

async function until(what, seconds, attempt) {
  const end = Date.now() + seconds * 1e3;
  for (;;) {
    const value = await attempt();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(100);
  }
}

const get = async (url, headers = {}) => {
  const answer = await fetch(url, { headers });
  assert.ok(answer.ok, `${url}: ${answer.status}`);
  return answer.json();
};

// Every page of the browser: an error in its console, an exception or a request that fails ends the test.
async function open_page(browser, options) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`${message.text()} ${message.location().url}`);
  });
  return { page, wrong, close: () => context.close() };
}
const expected = (wrong, pattern) => {
  const left = wrong.filter((text) => !pattern.test(text));
  same(left, [], 'no error in the browser');
  wrong.length = 0;
};

async function overview(page, api, shot) {
  await page.goto(`${api}/#/overview`);
  const lifecycle = await get(`${api}/v1/lifecycle`);
  for (const stage of lifecycle.stages) {
    const title = await page.locator(`[data-stage="${stage.name}"] title`).textContent();
    check(title.includes(String(stage.users)), `${stage.name}: ${title}, not ${stage.users}`);
  }
  same((await page.locator('#users-total').textContent()).replace(/\D/g, ''), String(lifecycle.users), 'users in all');
  await page.screenshot({ path: path.join(pictures, `overview-${shot}.png`) });
}

async function customer(page, api, id, shot) {
  await page.goto(`${api}/#/customers`);
  await page.fill('input[name=id]', id);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.person h1');
  same(await page.locator('.person h1').textContent(), id, 'the id as it is');
  const profile = await get(`${api}/v1/profiles/${encodeURIComponent(id)}?explain=true`);
  same(await page.locator('.person .stage').first().textContent(), profile.lifecycle.stage, 'stage');
  check((await page.locator('#why .why li').count()) > 0, 'why');
  check((await page.locator('.timeline li').count()) > 0, 'timeline');
  await page.screenshot({ path: path.join(pictures, `customer-${shot}.png`), fullPage: true });
}

async function audiences(page, api, shot) {
  await page.goto(`${api}/#/audiences`);
  const { sets } = await get(`${api}/v1/audiences/sets`);
  const stage = sets.find((set) => set.kind === 'stage' && set.users > 0);
  await page.click(`[data-set=${JSON.stringify(stage.expression)}]`);
  const shown = async () => Number((await page.locator('#audience-count').textContent()).replace(/\D/g, ''));
  await until('the count of a stage', 20, async () => (await shown()) === stage.users);
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=/CSV/')]);
  const lines = fs.readFileSync(await file.path(), 'utf8').trim().split(/\r?\n/);
  same(lines.length - 1, stage.users, 'lines of the export');
  await page.screenshot({ path: path.join(pictures, `audiences-${shot}.png`) });
  await page.fill('#expression', 'stage:nowhere');
  await page.waitForSelector('.trouble');
  checks++;
}

async function definitions(page, api, shot) {
  await page.goto(`${api}/#/definitions`);
  await page.waitForSelector('#draft');
  const text = await page.inputValue('#draft');
  const wrong = text.replace('on: purchase', 'on: purchas');
  await page.fill('#draft', wrong);
  await page.waitForSelector('.gutter .wrong');
  const line = wrong.slice(0, wrong.indexOf('on: purchas')).split('\n').length;
  same((await page.locator('.gutter .wrong').first().textContent()).trim(), String(line), 'the line of the mistake');
  // Whoever clicked once is interested now.
  const draft = text.replace('count(click, 7d before event) >= 3', 'count(click, 7d before event) >= 1');
  check(draft !== text, 'the draft differs');
  await page.fill('#draft', draft);
  await page.waitForSelector('#preview:not([disabled])');
  await page.click('#preview');
  await page.waitForSelector('#preview-result', { timeout: 60e3 });
  check(Number((await page.locator('#preview-result').textContent()).replace(/\D.*$/s, '') || 1) > 0, 'users who would stand elsewhere');
  await page.screenshot({ path: path.join(pictures, `definitions-${shot}.png`) });
  // A look at one of the examples costs neither the draft nor the preview.
  await page.click('.examples a');
  await page.waitForSelector('.person h1');
  await page.goto(`${api}/#/definitions`);
  await page.waitForSelector('#preview-result');
  same(await page.inputValue('#draft'), draft, 'the draft after a look elsewhere');
  // Somebody else was faster: the draft must not undo what nobody here has seen.
  const faster = text.replace('count(click, 7d before event) >= 3', 'count(click, 7d before event) >= 2');
  const put = await fetch(`${api}/v1/definitions`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: faster }),
  });
  same(put.status, 200, 'definitions of somebody else');
  page.on('dialog', (dialog) => dialog.accept());
  await page.click('#activate');
  await page.waitForSelector('.trouble');
  same((await get(`${api}/v1/definitions`)).text, faster, 'what is in force');
  await page.click('#revert');
  await until('what is in force', 20, async () => (await page.inputValue('#draft')) === faster);
  await page.fill('#draft', draft);
  await page.waitForSelector('#activate:not([disabled])');
  await page.click('#activate');
  await until('the draft in force', 30, async () => (await get(`${api}/v1/definitions`)).text === draft);
  await until('every user evaluated', 30, async () => (await get(`${api}/v1/definitions`)).sweep_left === 0);
}

async function dead_letters(page, api, shot) {
  await page.goto(`${api}/#/dead-letters`);
  await page.waitForSelector('[data-reason="invalid_json"]');
  await page.click('[data-reason="unknown_type"]');
  await until('the sample of one reason', 20, async () => (await page.locator('.samples li').count()) === 1);
  check((await page.locator('.samples pre').textContent()).includes('teleport'), 'the record as it was');
  await page.screenshot({ path: path.join(pictures, `dead-letters-${shot}.png`) });
}

async function live_feed(page, api, collector) {
  await page.goto(`${api}/#/overview`);
  await page.waitForSelector('.pulse.live');
  const body = JSON.stringify({ event_id: 'now-1', type: 'purchase', user_id: '新客人', ts: Date.now(), order_id: 'o-now', item_id: 'i-1', category: '女装', price: 88, quantity: 1 });
  const answer = await fetch(`${collector}/v1/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  same(answer.status, 200, await answer.text());
  await page.waitForSelector('.feed .transition.move:has-text("新客人")', { timeout: 20e3 });
  checks++;
}

async function main() {
  const browser = await chromium.launch({
    executablePath: kBrowser,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const up = new Up('open', `${[...events()].join('\n')}\n`, "api: {listen: '127.0.0.1:0'}\ncollector: {listen: '127.0.0.1:0'}\n");
  const api = await up.address('console and API');
  const collector = await up.address('collector');
  await until('the log taken', 60, async () => (await get(`${api}/v1/status`)).partitions.every((partition) => partition.lag === 0));

  for (const [locale, colorScheme] of [['zh-CN', 'light'], ['en-GB', 'dark']]) {
    const { page, wrong, close } = await open_page(browser, { locale, colorScheme });
    const shot = `${locale.slice(0, 2)}-${colorScheme}`;
    await overview(page, api, shot);
    same(await page.locator('h1').first().textContent(), locale === 'zh-CN' ? '客户全生命周期' : 'Customers in one loop', 'language');
    await customer(page, api, kOdd, shot);
    same(await page.locator('.person b:has-text("x")').count(), 0, 'an id is text, never HTML');
    await page.goto(`${api}/#/customers/nobody`);
    await page.waitForSelector('.centre:not(.working)');
    // Typed by hand, and no percent-encoding.
    await page.goto(`${api}/#/customers/100%`);
    await page.reload();
    await page.waitForSelector('.centre:not(.working)');
    same(await page.inputValue('input[name=id]'), '100%', 'an address that is no percent-encoding');
    await audiences(page, api, shot);
    await dead_letters(page, api, shot);
    expected(wrong, /status of 40[04]/);
    await close();
  }
  const { page, wrong, close } = await open_page(browser, { locale: 'zh-CN' });
  await live_feed(page, api, collector);
  await page.click('#language');
  same(await page.locator('h1').first().textContent(), 'Customers in one loop', 'language after the switch');
  await definitions(page, api, 'zh');
  // On a telephone nothing is wider than the screen.
  await page.setViewportSize({ width: 390, height: 800 });
  for (const where of ['overview', `customers/${encodeURIComponent(kOdd)}`, 'audiences', 'definitions', 'dead-letters']) {
    await page.goto(`${api}/#/${where}`);
    await pause(300);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    same(wide, 0, `${where}: wider than a telephone`);
  }
  expected(wrong, /status of 4(04|12)/);
  await close();
  await up.stop();

  // With tokens: asked for, refused, taken.
  const token = 'a-token-of-this-test';
  fs.writeFileSync(path.join(folder, 'tokens'), `test ${createHash('sha256').update(token).digest('hex')} read\n`);
  const guarded = new Up('guarded', '', `api: {listen: '127.0.0.1:0', tokens_file: ${path.join(folder, 'tokens')}}\ncollector: {listen: '127.0.0.1:0'}\n`);
  const guarded_api = await guarded.address('console and API');
  const visitor = await open_page(browser, { locale: 'en-GB' });
  await visitor.page.goto(`${guarded_api}/#/audiences`);
  await visitor.page.fill('input[name=token]', 'not this one');
  await visitor.page.click('.dialog button');
  await visitor.page.waitForSelector('.dialog .bad');
  await visitor.page.screenshot({ path: path.join(pictures, 'sign-in.png') });
  await visitor.page.fill('input[name=token]', token);
  await visitor.page.click('.dialog button');
  await visitor.page.waitForSelector('.dialog', { state: 'detached' });
  await visitor.page.waitForSelector('.pulse.live');
  // What the page asked for in vain is asked for again.
  await visitor.page.waitForSelector('[data-set]');
  same(await visitor.page.locator('main .trouble').count(), 0, 'no trouble with a token');
  expected(visitor.wrong, /status of 401/);
  await visitor.close();
  await guarded.stop();
  await browser.close();
  if (pictures !== folder) console.log(`screenshots: ${pictures}`);
  fs.rmSync(folder, { recursive: true, force: true });
  const figure = `figure: console: ${checks} checks in Chromium, in Chinese and English, light and dark, with and without tokens`;
  console.log(figure);
  if (process.env.SEGUE_FIGURES) fs.appendFileSync(process.env.SEGUE_FIGURES, `${figure}\n`);
}

try {
  await main();
} finally {
  for (const process of started) process.kill('SIGKILL');
}

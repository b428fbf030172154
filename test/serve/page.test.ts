/** The page for people, in a real browser, as people use it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, before, describe, it } from 'node:test';
import { loadModel, Model } from 'bitpath';
import axe from 'axe-core';
import Fastify from 'fastify';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { bitpath } from '#lib/serve/index.js';
import { DESKTOP, type Opened, open, PHONE, skip, SMALL_PHONE } from './browser.js';
import { CLASSES, picture, publish, type Running, start, temporaryFolder, tinyModel } from './servers.js';

/** Labels of all kinds: markup, one long word, many words. */
const NAMES = [
  '<img src=x onerror="document.title=1">',
  'Donaudampfschifffahrtsgesellschaftskapitänsmütze',
  'police van, police wagon, paddy wagon, patrol wagon, wagon, black Maria',
  'class: 3',
  'class: 4',
];
const LIMIT = 100_000;

let models: string[];
let good: { name: string; mimeType: string; buffer: Buffer };
let other: typeof good;
let broken: typeof good;

/** As far as tests look at one: the project's tests have no types of the DOM. */
interface Bar {
  readonly clientWidth: number;
  readonly firstChild: { readonly clientWidth: number };
}

/** What was opened by the current test. */
let opened: Opened[] = [];
async function visit(url: string, options: BrowserContextOptions = DESKTOP): Promise<Opened> {
  const one = await open(url, options);
  opened.push(one);
  return one;
}

/** Whatever a test does: the page asks nobody but its server, and its console stays empty. */
afterEach(async () => {
  for (const { page, context, requests, faults } of opened) {
    const { origin } = new URL(page.url());
    for (const url of requests) assert.equal(new URL(url).origin, origin, url); // blob: addresses have an origin too
    assert.ok(requests.length > 0);
    assert.deepEqual(faults, []);
    await context.close();
  }
  opened = [];
});

const serve = (options: object = {}) => start({ models, limits: { body_bytes: LIMIT }, ...options });
const ready = (page: Page) => page.locator('#model:enabled').waitFor();
const bars = (page: Page) => page.locator('.bars');
/** Waits until there are `count` answers. */
const answers = (page: Page, count: number) =>
  bars(page)
    .nth(count - 1)
    .waitFor();
const choose = (page: Page, ...files: (typeof good)[]) => page.setInputFiles('#choose', files);

/** JavaScript for the bytes of `base64`. */
const bytesOf = (base64: string) => `Uint8Array.from(atob('${base64}'), (char) => char.charCodeAt(0))`;

/** Has the page receive `files` as if somebody had dropped them. */
async function drop(page: Page, files: readonly (typeof good)[]): Promise<void> {
  const added = files.map(
    ({ name, mimeType, buffer }) =>
      `data.items.add(new File([${bytesOf(buffer.toString('base64'))}], '${name}', { type: '${mimeType}' }));`,
  );
  const dataTransfer = await page.evaluateHandle(
    `(() => { const data = new DataTransfer(); ${added.join('')} return data; })()`,
  );
  await page.dispatchEvent('body', 'dragover', { dataTransfer });
  await page.dispatchEvent('body', 'drop', { dataTransfer });
}

describe('the page for people', { skip, timeout: 120_000 }, () => {
  let running: Running;
  before(async () => {
    const folder = temporaryFolder();
    models = [1, 2].map((seed) => join(folder, `${seed === 1 ? 'alpha' : 'beta'}.safetensors`));
    for (const [i, path] of models.entries()) {
      const { graph, params, preprocessing } = tinyModel(i + 1);
      const labels = NAMES.map((name, j) => ({ id: `c${j}`, name }));
      await new Model({ graph, params, preprocessing, labels }).save(path);
    }
    good = { name: 'good.png', mimeType: 'image/png', buffer: await picture(1) };
    other = { name: 'other.jpg', mimeType: 'image/jpeg', buffer: await picture(2, 'jpeg') };
    broken = { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture at all') };
    running = await serve();
  });

  // Contrast is of the colours and layout of the width: every pair would say no more.
  for (const [name, options, colorScheme] of [
    ['desktop', DESKTOP, 'light'],
    ['phone', PHONE, 'dark'],
  ] as const) {
    describe(`on a ${name}`, () => {
      it('shows what two networks say, with times', async () => {
        const { page } = await visit(`${running.url}/`, options);
        await ready(page);
        await choose(page, good);
        await answers(page, 2);
        assert.deepEqual(await page.locator('.column h4').allTextContents(), ['alpha', 'beta']);
        for (const [i, model] of ['alpha', 'beta'].entries()) {
          const response = await fetch(`${running.url}/classify?model=${model}`, {
            method: 'POST',
            body: new Uint8Array(good.buffer),
          });
          const { results } = (await response.json()) as {
            results: [{ predictions: { name: string; probability: number }[] }];
          };
          const column = page.locator('.column').nth(i);
          const { predictions } = results[0];
          assert.equal(predictions.length, CLASSES);
          assert.deepEqual(
            await column.locator('.name').allTextContents(),
            predictions.map(({ name }) => name),
          );
          assert.deepEqual(
            await column.locator('.value').allTextContents(),
            predictions.map(({ probability }) => `${(probability * 100).toFixed(1)} %`),
          );
          const widths = await column
            .locator('.bar')
            .evaluateAll((all: Bar[]) => all.map((one) => one.firstChild.clientWidth / one.clientWidth));
          for (const [j, width] of widths.entries())
            assert.ok(Math.abs(width - predictions[j]!.probability) < 0.02, `${width}`);
          assert.match(
            (await column.locator('.times').textContent())!,
            /^Network [\d.]+ ms · whole request [\d.]+ ms$/,
          );
        }
        assert.match((await page.locator('#spoken').textContent())!, /^good\.png, beta: .+, [\d.]+ %$/);
        assert.equal(await page.title(), 'bitpath: what is on the picture?', 'labels are text');
      });

      it(`is accessible and fits, ${colorScheme}`, async () => {
        const { page } = await visit(`${running.url}/`, { ...options, colorScheme });
        await ready(page);
        await choose(page, good, broken, { ...good, name: 'notes.txt', mimeType: 'text/plain' });
        await answers(page, 2);
        await page.locator('.column .problem').nth(1).waitFor();
        await assertAccessible(page);
        await page.goto(`${running.url}/docs`);
        await assertAccessible(page);
      });
    });
  }

  it('fits the smallest phone, with letters twice as large', async () => {
    const { page } = await visit(`${running.url}/`, SMALL_PHONE);
    await ready(page);
    await choose(page, good);
    await answers(page, 2);
    for (const size of ['100%', '200%']) {
      await page.evaluate(`document.documentElement.style.fontSize = '${size}'`);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320, size);
    }
  });

  it('offers the camera where there is touch, and drag and drop where there is not', async () => {
    const phone = (await visit(`${running.url}/`, PHONE)).page;
    assert.ok(await phone.getByText('Take a photo').isVisible());
    assert.ok(!(await phone.getByText('or drop them').isVisible()));
    assert.equal(await phone.locator('#photograph').getAttribute('capture'), 'environment');
    await ready(phone);
    const [chooser] = await Promise.all([phone.waitForEvent('filechooser'), phone.getByText('Take a photo').tap()]);
    await chooser.setFiles([other]);
    await answers(phone, 2);
    const desktop = (await visit(`${running.url}/`)).page;
    assert.ok(!(await desktop.getByText('Take a photo').isVisible()));
    assert.ok(await desktop.getByText('or drop them').isVisible());
  });

  it('takes what is dropped and pasted, the newest first', async () => {
    const { page, context } = await visit(`${running.url}/`);
    await ready(page);
    await drop(page, [good, other]);
    await answers(page, 4);
    assert.deepEqual(await page.locator('.card h3').allTextContents(), ['good.png', 'other.jpg']);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const base64 = good.buffer.toString('base64');
    await page.evaluate(
      `navigator.clipboard.write([new ClipboardItem({ 'image/png': new Blob([${bytesOf(base64)}], { type: 'image/png' }) })])`,
    );
    await page.keyboard.press('Control+V');
    await answers(page, 6);
    assert.deepEqual(await page.locator('.card h3').allTextContents(), ['image.png', 'good.png', 'other.jpg']);
    await page.evaluate("navigator.clipboard.writeText('words')");
    await page.keyboard.press('Control+V');
    await page.getByText('What was pasted holds no picture.').waitFor();
    await drop(page, []);
    await page.getByText('What was dropped is no picture file.').waitFor();
  });

  it('asks another network once it is chosen, and none twice', async () => {
    const { page, requests } = await visit(`${running.url}/`);
    await ready(page);
    const asked = () => requests.filter((url) => url.includes('/classify')).map((url) => new URL(url).search);
    await page.getByLabel('Beside it').selectOption('none');
    await choose(page, good);
    await answers(page, 1);
    assert.deepEqual(asked(), ['?model=alpha']);
    await page.getByLabel('Beside it').selectOption('beta');
    await answers(page, 2);
    await page.getByLabel('Network', { exact: true }).selectOption('beta');
    assert.equal(await page.locator('.column').count(), 1, 'one network is one column');
    await page.getByLabel('Network', { exact: true }).selectOption('alpha');
    await answers(page, 2);
    assert.deepEqual(asked(), ['?model=alpha', '?model=beta']);
  });

  it('works by keyboard alone', async () => {
    const { page } = await visit(`${running.url}/`);
    await ready(page);
    // Long before the key: a dialog that opens while the browser is still being told to hand it over is lost.
    const choosing = page.waitForEvent('filechooser');
    const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent');
    const order: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    assert.deepEqual(order, ['API', 'model', 'second-model', 'choose']);
    const outline = await page.evaluate("getComputedStyle(document.querySelector('.button')).outlineStyle");
    assert.equal(outline, 'solid', 'the focus is seen');
    await page.keyboard.press('Enter');
    await (await choosing).setFiles([good]);
    await answers(page, 2);
    assert.equal(await focused(), 'choose');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'clear');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('.card').count(), 0);
    assert.equal(await focused(), 'choose');
  });

  describe('errors', () => {
    it('say what is wrong with a picture', async () => {
      const { page, requests } = await visit(`${running.url}/`);
      await ready(page);
      await choose(
        page,
        { ...good, name: 'notes.txt', mimeType: 'text/plain' },
        { ...good, name: 'none.png', buffer: Buffer.alloc(0) },
        { ...good, name: 'huge.png', buffer: Buffer.alloc(LIMIT + 1) },
        broken,
      );
      assert.deepEqual(await page.locator('#notices p').allTextContents(), [
        'notes.txt is not a picture (text/plain).',
        'none.png is empty.',
        'huge.png is too large: 98 kB, and the server takes 98 kB.',
      ]);
      const problems = page.locator('.column .problem');
      await problems.nth(1).waitFor();
      const response = await fetch(`${running.url}/classify`, { method: 'POST', body: new Uint8Array(broken.buffer) });
      assert.equal(response.status, 400);
      const { error } = (await response.json()) as { error: string };
      assert.deepEqual(await problems.allTextContents(), [error, error]);
      assert.equal(await page.getByText('Try again').filter({ visible: true }).count(), 0, 'it would not help');
      assert.equal(requests.filter((url) => url.includes('/classify')).length, 2);
      await choose(page, good);
      await answers(page, 2);
      assert.equal(await page.locator('#notices p').count(), 0);
    });

    it('of a busy server go away by themselves', async () => {
      const { page } = await visit(`${running.url}/`);
      await ready(page);
      let busy = 2;
      await page.route('**/classify*', (route) =>
        busy-- > 0
          ? route.fulfill({
              status: 503,
              headers: { 'retry-after': '0' },
              json: { error: 'The queue is full', code: 'ERR_BITPATH_QUEUE_FULL' },
            })
          : route.continue(),
      );
      await choose(page, good);
      await page.getByText('The queue is full. Trying again').waitFor();
      await answers(page, 2);
    });

    it('of a server that is gone can be tried again', async () => {
      const first = await serve();
      const { port } = new URL(first.url);
      const { page } = await visit(`${first.url}/`);
      await ready(page);
      await page.getByLabel('Beside it').selectOption('none');
      await first.server.close();
      await choose(page, good);
      await page.locator('.column').getByText('The server does not answer.').waitFor();
      const again = await serve({ port: Number(port) });
      await page.locator('.column').getByRole('button', { name: 'Try again' }).click();
      await answers(page, 1);
      assert.equal(await page.evaluate('document.activeElement.textContent'), 'alpha', 'the focus stays in its place');
      // A model that went away is the server's word, not a riddle.
      await fetch(`${again.url}/v2/repository/models/beta/unload`, { method: 'POST' });
      await page.getByLabel('Beside it').selectOption('beta');
      await page.locator('.column').getByText(/beta/).nth(1).waitFor();
      assert.match((await page.locator('.column .problem').textContent())!, /beta.*unloaded/);
    });

    it('of a server without models can be tried again', async () => {
      const folder = temporaryFolder();
      const empty = await serve({ models: undefined, model_repository: folder });
      const { page } = await visit(`${empty.url}/`);
      await page.getByText('No model is ready yet.').waitFor();
      await choose(page, good);
      await publish(folder, 'late', '1', await loadModel(models[0]!));
      await fetch(`${empty.url}/v2/repository/models/late/load`, { method: 'POST' });
      await page.getByRole('button', { name: 'Try again' }).click();
      await answers(page, 1);
      assert.equal(await page.locator('#trouble').isVisible(), false);
      assert.equal(await page.locator('#second-field').isVisible(), false, 'one network needs no second list');
    });
  });

  it('asks for a key, keeps it for the tab and forgets it', async () => {
    const key = 'correct-horse-battery';
    const locked = await serve({ api_keys: [key] });
    const { page, context } = await visit(`${locked.url}/`);
    const input = page.getByLabel('This server asks for an API key');
    const enter = async (text: string) => {
      await input.fill(text);
      await page.keyboard.press('Enter');
    };
    await input.waitFor();
    assert.equal(await page.evaluate('document.activeElement.id'), 'key-input');
    await assertAccessible(page);
    await choose(page, good); // waits for the key
    await enter('schlüssel');
    await page.getByText('letters, digits and signs').waitFor();
    await enter('wrong-horse-battery');
    await page.getByText('The server did not take this key.').waitFor();
    await enter(key);
    await answers(page, 2);
    assert.equal(await input.isVisible(), false);
    const stored = await page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])');
    assert.equal(stored, JSON.stringify([{ 'bitpath-key:/': key }, {}, '']));
    await page.reload();
    await ready(page);
    const another = await context.newPage();
    await another.goto(`${locked.url}/`);
    await another.getByLabel('This server asks for an API key').waitFor();
    await page.getByRole('button', { name: 'Forget the API key' }).click();
    await input.waitFor();
    assert.equal(await page.evaluate('sessionStorage.length'), 0);
    await page.getByRole('link', { name: 'API' }).click();
    await page.getByRole('heading', { name: 'Routes' }).waitFor();
  });

  it('works inside another app, below a prefix', async () => {
    const app = Fastify({ forceCloseConnections: true });
    app.get('/', async () => 'the app itself');
    await app.register(bitpath, { prefix: '/a/vision', models, threads: 1, api_keys: ['correct-horse-battery'] });
    const url = await app.listen({ port: 0 });
    try {
      assert.equal((await fetch(`${url}/a/vision/v2/health/ready`)).status, 200, 'probes need no key here either');
      assert.equal((await fetch(`${url}/a/vision/v2`)).status, 401);
      const { page, requests } = await visit(`${url}/a/vision`);
      assert.equal(page.url(), `${url}/a/vision/`);
      await page.getByLabel('This server asks for an API key').fill('correct-horse-battery');
      await page.keyboard.press('Enter');
      await ready(page);
      await choose(page, good);
      await answers(page, 2);
      for (const each of requests) assert.ok(each.startsWith(`${url}/a/vision`) || each.startsWith('blob:'), each);
      await page.getByRole('link', { name: 'API' }).click();
      await page.getByRole('link', { name: 'OpenAPI' }).click();
      assert.equal(page.url(), `${url}/a/vision/docs/openapi.json`);
      await page.goBack();
      await page.getByRole('link', { name: 'bitpath' }).click();
      await page.waitForURL(`${url}/a/vision/`);
    } finally {
      await app.close();
    }
  });
});

/** Asks axe, and checks that nothing needs scrolling sideways. */
async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const violations = (await page.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join('; ')))`,
  )) as string[];
  assert.deepEqual(violations, []);
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'no scrolling sideways');
}

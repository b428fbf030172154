/** The built documentation site in Chromium, from disk and from a server. `BITPATH_SITE` names its folder; `.ci/run docs` sets it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { root } from '../build/root.js';
import { DESKTOP, open, PHONE, skip as noChromium } from '../serve/browser.js';

const { BITPATH_SITE } = process.env;
const site = join(root, BITPATH_SITE ?? 'out/site');
const skip = BITPATH_SITE === undefined ? 'BITPATH_SITE names no site' : noChromium;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** Of each kind: prose, wide tables, wide code, diagrams, an API page, a source file. */
const PAGES = [
  'index',
  'tutorial',
  'errors',
  'cli',
  'comparison',
  'gradient-paths',
  'paper',
  'api/bitpath/classes/Executor',
];

describe('the site, opened from disk', { skip }, () => {
  const address = (page: string) => pathToFileURL(join(site, `${page}.html`)).href;

  for (const [name, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    it(`has pages that fit a ${name}, and loads nothing from elsewhere`, async () => {
      for (const path of PAGES) {
        const { page, context, requests } = await open(address(path), options);
        const scrollWidth = await page.evaluate<number>('document.documentElement.scrollWidth');
        const innerWidth = await page.evaluate<number>('innerWidth');
        const font = await page.evaluate<string>('getComputedStyle(document.body).fontFamily');
        const images = await page.evaluate<number[]>('[...document.images].map((image) => image.naturalWidth)');
        assert.ok(scrollWidth <= innerWidth, `${path}: ${scrollWidth} > ${innerWidth}`);
        assert.match(font, /system-ui/, 'its style is there');
        assert.ok(
          images.every((width) => width > 0),
          path,
        );
        for (const request of requests) assert.match(request, /^(file|data):/);
        await context.close();
      }
    });
  }

  it('leads from page to page', async () => {
    const { page, context } = await open(address('index'));
    await page.click('.VPSidebar p:text-is("Five minutes")');
    assert.match((await page.textContent('h1')) ?? '', /^Five minutes/);
    await page.click('.vp-doc a:text-is("Serving")');
    await page.click('.VPSidebar p:text-is("bitpath")');
    await page.click('.vp-doc a:text-is("Executor")');
    assert.match((await page.textContent('h1')) ?? '', /Executor/);
    assert.equal(await page.isVisible('.VPNavBarSearch'), false);
    await context.close();
  });

  it('has a menu on a phone', async () => {
    const { page, context } = await open(address('tutorial'), PHONE);
    const link = page.locator('.VPSidebar p:text-is("Serving")');
    await page.click('.VPLocalNav .menu');
    await link.waitFor({ state: 'visible' });
    await link.click();
    assert.match(page.url(), /serving\.html$/);
    await context.close();
  });

  it('turns dark, its diagrams too, and stays so', async () => {
    const { page, context } = await open(address('gradient-paths'));
    /** Red of a pixel in a diagram's corner. */
    const corner = () =>
      page
        .locator('.vp-doc img')
        .first()
        .screenshot()
        .then((bytes) => sharp(bytes).extract({ left: 2, top: 2, width: 1, height: 1 }).raw().toBuffer())
        .then((pixel) => pixel[0] ?? 0);
    assert.ok((await corner()) > 200);
    await page.click('.VPNavBar .VPSwitchAppearance');
    assert.equal(await page.evaluate("document.documentElement.classList.contains('dark')"), true);
    assert.ok((await corner()) < 60);
    await page.goto(address('tutorial'));
    assert.equal(await page.evaluate("document.documentElement.classList.contains('dark')"), true);
    await context.close();
  });
});

describe('the site, served', { skip }, () => {
  let server: Server;
  let url = '';
  before(async () => {
    server = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).replace(
        /\/$/,
        '/index.html',
      );
      readFile(join(site, path)).then(
        (bytes) =>
          response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => server.close());

  it('moves between pages of different folders', async () => {
    const { page, context, requests, faults } = await open(`${url}tutorial.html`);
    await page.click('.VPSidebar p:text-is("bitpath")');
    await page.click('.vp-doc a:text-is("Executor")');
    await page.waitForSelector('h1:has-text("Executor")');
    await page.click('.VPSidebar p:text-is("Five minutes")');
    await page.waitForSelector('h1:has-text("Five minutes")');
    await page.click('.vp-doc a:text-is("Serving")');
    await page.waitForURL(`${url}serving.html`);
    for (const request of requests) assert.ok(request.startsWith(url) || request.startsWith('data:'), request);
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('is searched without asking anybody', async () => {
    const { page, context, requests, faults } = await open(url);
    await page.click('.VPNavBarSearch button');
    await page.fill('#localsearch-input', 'gradient path');
    await page.locator('.VPLocalSearchBox .result').first().click();
    await page.waitForURL(/#|html/);
    for (const request of requests) assert.ok(request.startsWith(url) || request.startsWith('data:'), request);
    assert.deepEqual(faults, []);
    await context.close();
  });
});

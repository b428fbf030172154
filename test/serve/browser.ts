/** A real browser for tests of pages: Debian's Chromium, one for all tests of a file. */
import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { after } from 'node:test';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const found = [process.env['BITPATH_CHROMIUM'] ?? '', ...PLACES].find((path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/** For `describe`: why its tests are passed over, or false. Where Chromium is required, they fail instead. */
export const skip = found === undefined && !process.env['BITPATH_REQUIRE_CHROMIUM'] ? 'no Chromium' : false;
if (skip !== false) console.log('SKIPPED: tests of the page need Chromium (Debian: apt-get install chromium)');

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const SMALL_PHONE: BrowserContextOptions = { ...PHONE, viewport: { width: 320, height: 568 } };

// Here and not in the functions below: called in a hook, `after` belongs to that hook's suite.
let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

function launched(): Promise<Browser> {
  assert.ok(found !== undefined, 'Chromium is required here and was not found');
  // Modules from disk: browsers differ in whether they load them, and pages must not depend on it.
  browser ??= chromium.launch({ executablePath: found, args: ['--no-sandbox', '--allow-file-access-from-files'] });
  return browser;
}

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Addresses of all requests so far. */
  readonly requests: readonly string[];
  /** What the console said as an error, and exceptions that nobody caught. Answers such as 400 are not among them. */
  readonly faults: readonly string[];
}

/** Opens `url` in a context of its own. The page's policy is watched from its first byte on. */
export async function open(url: string, options: BrowserContextOptions = DESKTOP): Promise<Opened> {
  const context = await (await launched()).newContext({ reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const requests: string[] = [];
  const faults: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) faults.push(text);
  });
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))",
  );
  await page.goto(url);
  return { page, context, requests, faults };
}

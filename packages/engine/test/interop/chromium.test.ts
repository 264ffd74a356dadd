import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { findChromium, launch } from '../../../../examples/chat/test/browser';
import { portOf } from '../support/libraries';
import { interoperate, interoperateOverTls } from './interoperate';
import { chromiumWebSocket, PAGE } from './peers/chromium';

const found = findChromium();
const underCi = process.env.CI !== undefined && !['', '0', 'false'].includes(process.env.CI);

if (found === undefined && !underCi) {
  describe.skip('Chromium (skipped: no Chromium found, set CHROMIUM_PATH)', () => {
    test('all scenarios', () => undefined);
  });
} else {
  let browser: Browser | undefined;
  let http: Server;
  let page: Page;

  beforeAll(async () => {
    if (found === undefined) {
      throw new Error('No Chromium found, which CI must have: set CHROMIUM_PATH');
    }
    http = createServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    browser = await launch(found);
    page = await browser.newPage({ ignoreHTTPSErrors: true });
    await page.goto(`http://127.0.0.1:${portOf(http)}/`);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    http?.close();
  });

  const chromium = chromiumWebSocket(() => page);
  interoperate(chromium);
  interoperateOverTls(chromium);
}

// puppeteer-core drives Chromium over the DevTools protocol, whose connection is a client of the engine.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import puppeteer from 'puppeteer-core';
import { assertEngine, listen } from './using.mjs';

assertEngine('puppeteer-core');

const executablePath = process.env.CHROMIUM_PATH;
if (!executablePath) throw new Error('CHROMIUM_PATH is not set');
const { server, port } = await listen(
  createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<title>page</title><h1>Hello</h1>');
  }),
);
const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  assert.equal(await page.title(), 'page');
  assert.equal(await page.evaluate((left, right) => left * right, 6, 7), 42);
  assert.equal((await page.evaluate(() => 'x'.repeat(2_000_000))).length, 2_000_000);
  const picture = await page.screenshot();
  assert.deepEqual([...picture.subarray(1, 4)], [...Buffer.from('PNG')]);
} finally {
  await browser.close();
}
const refused = puppeteer.connect({ browserWSEndpoint: `ws://127.0.0.1:${port}/devtools` });
// It rejects with the event of the WebSocket, which is no Error.
await refused.then(assert.fail, ({ message }) => {
  assert.equal(message, 'Unexpected server response: 200');
});
server.close();

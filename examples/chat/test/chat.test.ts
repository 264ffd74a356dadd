import type { Store } from 'express-session';
import { MemoryStore } from 'express-session';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { findChromium, launch } from './browser';
import type { RunningChat } from './example';
import { runChat } from './example';

jest.setTimeout(60_000);

const chromium = findChromium();
const secret = 'a secret that survives a restart';
const underCi = process.env.CI !== undefined && !['', '0', 'false'].includes(process.env.CI);

if (chromium !== undefined) {
  describe('chat in a browser', () => inBrowser(chromium));
} else if (underCi) {
  test('chat in a browser', () => {
    throw new Error('No Chromium found. Install it, or set CHROMIUM_PATH.');
  });
} else {
  describe.skip('chat in a browser (skipped: no Chromium found, set CHROMIUM_PATH)', () => {
    test('log in and talk', () => undefined);
  });
}

function inBrowser(executablePath: string) {
  let browser: Browser;
  let store: Store;
  let chat: RunningChat;
  let contexts: BrowserContext[] = [];
  /** What the pages complained of: exceptions, and what their security policy has forbidden. */
  let complaints: string[] = [];

  beforeAll(async () => {
    browser = await launch(executablePath);
  });

  afterAll(() => browser?.close());

  beforeEach(async () => {
    store = new MemoryStore();
    chat = await runChat('Express', { store, secret });
    contexts = [];
    complaints = [];
  });

  afterEach(async () => {
    for (const context of contexts) await context.close();
    // After a browser that could not be started there is none.
    await chat?.close();
    expect(complaints).toEqual([]);
  });

  /** Opens the page as somebody with a browser of their own. */
  async function visit(options: BrowserContextOptions = {}, port = chat.port): Promise<Page> {
    const context = await browser.newContext(options);
    contexts.push(context);
    context.setDefaultTimeout(20_000);
    return openTab(context, '', port);
  }

  async function openTab(context: BrowserContext, hash = '', port = chat.port): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy|blocked/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${port}/${hash}`);
    return page;
  }

  async function logIn(page: Page, name: string): Promise<void> {
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Enter the chat' }).click();
  }

  async function visitAs(name: string, options?: BrowserContextOptions): Promise<Page> {
    const page = await visit(options);
    await logIn(page, name);
    await isConnected(page);
    return page;
  }

  const isConnected = (page: Page) => page.getByText('Connected', { exact: true }).waitFor();
  const loginForm = (page: Page) => page.getByLabel('Your name').waitFor();

  async function say(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Message' }).fill(text);
    await page.keyboard.press('Enter');
  }

  const messages = (page: Page) => page.getByRole('log').locator('.text');
  const heard = (page: Page, text: string) =>
    messages(page).getByText(text, { exact: true }).waitFor();

  /** Waits until exactly these people are listed: initial and name, and "(you)" at one of them. */
  async function isThere(page: Page, ...names: string[]): Promise<void> {
    const rows = names.map((name) => `${name[0]}${name}(\\(you\\))?`);
    await page.locator('#people', { hasText: new RegExp(`^${rows.join('')}$`) }).waitFor();
  }

  /** Breaks the connections of all pages, without a goodbye. */
  function breakConnections(): void {
    for (const webSocket of chat.webSockets()) webSocket.terminate();
  }

  /** Waits until the server has got so many new connections: a page may be out of reach for a blink only. */
  function connections(count: number): Promise<void> {
    return new Promise((resolve) => {
      let missing = count;
      chat.webSocketServer().on('connection', () => {
        if (--missing === 0) resolve();
      });
    });
  }

  /** Makes a page wait for about a minute before it tries again by itself. */
  async function makePatient(page: Page): Promise<void> {
    await page.evaluate(() => {
      Math.random = () => 59;
    });
  }

  test('people on three frameworks are in one room, and the page leads from one to the other', async () => {
    const others = [
      await runChat('Fastify', {}, 0, chat.chat),
      await runChat('Koa', {}, 0, chat.chat),
    ];
    const pages: Page[] = [];
    for (const [index, { port }] of [chat, ...others].entries()) {
      const page = await visit({}, port);
      await logIn(page, ['Ada', 'Grace', 'Edsger'][index]);
      await isConnected(page);
      pages.push(page);
    }
    const [ada, grace, edsger] = pages;
    for (const [index, page] of pages.entries()) {
      await isThere(page, 'Ada', 'Edsger', 'Grace');
      await say(page, `hello from ${['Express', 'Fastify', 'Koa'][index]}`);
    }
    for (const page of pages) {
      for (const name of ['Express', 'Fastify', 'Koa']) await heard(page, `hello from ${name}`);
    }
    await ada.locator('.byline', { hasText: 'Grace' }).getByText('· Fastify').waitFor();
    const sites = grace.getByRole('navigation', { name: 'The same chat on other frameworks' });
    expect(await sites.getByRole('link').allInnerTexts()).toEqual(['Express', 'Fastify', 'Koa']);
    expect(await sites.locator('[aria-current]').textContent()).toBe('Fastify');
    await edsger.goto('about:blank');
    await isThere(grace, 'Ada', 'Grace');
    await sites.getByRole('link', { name: 'Koa' }).click();
    // A log-in belongs to one framework.
    await loginForm(grace);
    await grace.getByText('This page is served by Koa.').waitFor();
    await Promise.all(others.map((other) => other.close()));
  });

  test('two people log in, see each other, talk, and leave', async () => {
    const ada = await visitAs('Ada');
    await isThere(ada, 'Ada');
    const grace = await visitAs('Grace');
    await Promise.all([isThere(ada, 'Ada', 'Grace'), isThere(grace, 'Ada', 'Grace')]);
    await ada.getByText('Grace came in').waitFor();

    await say(ada, 'Hello Grace');
    await heard(grace, 'Hello Grace');
    await say(grace, 'Hello Ada');
    await heard(ada, 'Hello Ada');
    expect(await messages(ada).allTextContents()).toEqual(['Hello Grace', 'Hello Ada']);
    expect(await messages(grace).allTextContents()).toEqual(['Hello Grace', 'Hello Ada']);

    await grace.getByRole('button', { name: 'Log out' }).click();
    await loginForm(grace);
    await ada.getByText('Grace left').waitFor();
    await isThere(ada, 'Ada');
  });

  test('a newcomer sees what was said before', async () => {
    const ada = await visitAs('Ada');
    await say(ada, 'Anybody?');
    await heard(ada, 'Anybody?');
    await ada.reload();
    await heard(ada, 'Anybody?');
    await heard(await visitAs('Grace'), 'Anybody?');
  });

  test('markup is shown as the text that it is', async () => {
    const ada = await visitAs('Ada');
    const grace = await visitAs('Grace');
    const attack = '<img src=x onerror="document.title=1"><script>document.title=2</script>&amp;';
    await say(ada, attack);
    await heard(grace, attack);
    expect(await messages(grace).allTextContents()).toEqual([attack]);
    expect(await grace.locator('#messages :is(img, script)').count()).toBe(0);
    expect(await grace.title()).toBe('#lobby · Upwire chat');
  });

  test('a name that is refused is explained, and can be corrected', async () => {
    await visitAs('Ada');
    const page = await visit();
    await logIn(page, 'ada');
    await page.getByText('ada is in the chat already. Choose another name.').waitFor();
    await logIn(page, '<i>');
    await page.getByText('A name has letters, digits, spaces').waitFor();
    await logIn(page, 'Grace');
    await isThere(page, 'Ada', 'Grace');
  });

  test('two tabs of one person are one person', async () => {
    const ada = await visitAs('Ada');
    const grace = await visitAs('Grace');
    const second = await openTab(grace.context());
    await isThere(second, 'Ada', 'Grace');
    await say(grace, 'from the first tab');
    await heard(second, 'from the first tab');
    await second.close();
    await say(grace, 'still here');
    await heard(ada, 'still here');
    expect(await ada.getByText(/^Grace (came in|left)$/).allTextContents()).toEqual([
      'Grace came in',
    ]);
  });

  test('rooms are made by going there, and left by the Back button', async () => {
    const ada = await visitAs('Ada');
    const grace = await visitAs('Grace');
    await ada.getByLabel('Name of another room').fill('Tea Room');
    await ada.keyboard.press('Enter');
    await ada.getByRole('heading', { name: 'tea-room' }).waitFor();
    await isThere(ada, 'Ada');
    await isThere(grace, 'Grace');
    await say(ada, 'only here');
    await heard(ada, 'only here');

    await grace.getByRole('link', { name: 'tea-room 1 person' }).click();
    await heard(grace, 'only here');
    await isThere(ada, 'Ada', 'Grace');

    await grace.goBack();
    await grace.getByRole('heading', { name: 'lobby' }).waitFor();
    await isThere(ada, 'Ada');
    expect(await messages(grace).count()).toBe(0);
  });

  test('an address that names no possible room leads to the lobby', async () => {
    const ada = await visitAs('Ada');
    for (const hash of ['#%E0%A4%A', '#-', `#${'x'.repeat(33)}`]) {
      const tab = await openTab(ada.context(), hash);
      await isConnected(tab);
      expect(new URL(tab.url()).hash).toBe('#lobby');
    }
  });

  test('a message that the server refuses goes back into the field', async () => {
    const ada = await visitAs('Ada');
    const field = ada.getByRole('textbox', { name: 'Message' });
    await field.evaluate((input) => input.removeAttribute('maxlength'));
    const long = 'x'.repeat(501);
    await say(ada, long);
    await ada.getByText('A message has 500 characters at most.').waitFor();
    expect(await field.inputValue()).toBe(long);
    await say(ada, 'short');
    await heard(ada, 'short');
    expect(await messages(ada).count()).toBe(1);
  });

  describe('comes back', () => {
    test('by itself when the connection breaks', async () => {
      const ada = await visitAs('Ada');
      const grace = await visitAs('Grace');
      const back = connections(2);
      breakConnections();
      await back;
      await Promise.all([isConnected(ada), isConnected(grace)]);
      await isThere(ada, 'Ada', 'Grace');
      await say(ada, 'back again');
      await heard(grace, 'back again');
    });

    test.each([
      ['lost', true],
      ['answered in vain', false],
    ])('with a message that was %s', async (_how, lose) => {
      const ada = await visitAs('Ada');
      const [webSocket] = chat.webSockets();
      if (lose) webSocket.removeAllListeners('message');
      webSocket.prependListener('message', () => webSocket.terminate());
      const back = connections(1);
      await say(ada, 'in the nick of time');
      await back;
      await isConnected(ada);
      await heard(ada, 'in the nick of time');
      await say(ada, 'after');
      await heard(ada, 'after');
      expect(await messages(ada).allTextContents()).toEqual(['in the nick of time', 'after']);
    });

    test('at once when told to, and keeps what is being typed', async () => {
      const ada = await visitAs('Ada');
      await makePatient(ada);
      const field = ada.getByRole('textbox', { name: 'Message' });
      await field.fill('half a thou');
      await chat.close();
      await ada.getByText('No connection. Trying again in').waitFor();
      await field.press('Enter');
      chat = await runChat('Express', { store, secret }, chat.port);
      await ada.getByRole('button', { name: 'Try now' }).click();
      await isConnected(ada);
      expect(await field.inputValue()).toBe('half a thou');
      expect(await messages(ada).count()).toBe(0);
    });
  });

  describe('shows the login form', () => {
    test('when another tab logs out', async () => {
      const ada = await visitAs('Ada');
      const other = await openTab(ada.context());
      await isConnected(other);
      await other.getByRole('button', { name: 'Log out' }).click();
      await loginForm(ada);
      await ada.getByText('You are logged out, or your session has ended.').waitFor();
      await logIn(ada, 'Ada');
      await isConnected(ada);
    });

    test('when the server refuses to take it back', async () => {
      const ada = await visitAs('Ada');
      await new Promise((resolve) => store.clear?.(resolve));
      breakConnections();
      await loginForm(ada);
      await ada.getByText('The server refused the connection (401)').waitFor();
      expect(chat.log.filter((line) => line.startsWith('GET /chat/lobby 401'))).toHaveLength(1);
      await logIn(ada, 'Ada');
      await isConnected(ada);
    });

    test('when the server has forgotten all sessions in a restart', async () => {
      const ada = await visitAs('Ada');
      await chat.close();
      chat = await runChat('Express', {}, chat.port);
      await loginForm(ada);
      await ada.getByText('The server refused the connection (401)').waitFor();
    });
  });

  test('on a phone, rooms and people are behind a button', async () => {
    const ada = await visitAs('Ada', { viewport: { width: 390, height: 780 }, hasTouch: true });
    const menu = ada.getByRole('button', { name: 'Rooms and people' });
    const room = ada.getByRole('link', { name: 'lobby' });
    expect(await room.isVisible()).toBe(false);
    await menu.tap();
    await room.waitFor();
    await ada.keyboard.press('Escape');
    await room.waitFor({ state: 'hidden' });
    await menu.and(ada.locator(':focus')).waitFor();
    const width = await ada.locator('html').evaluate((html) => html.scrollWidth);
    expect(width).toBe(390);
  });
}

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import type { Message, RunningChat } from './example';
import { LOGGED_OUT, runChat, SITES } from './example';

jest.setTimeout(30_000);

let chat: RunningChat;

afterEach(() => chat.close());

const post = (path: string, body: string, cookie = '') =>
  fetch(`http://127.0.0.1:${chat.port}${path}`, {
    method: 'POST',
    body: new URLSearchParams(body),
    headers: { cookie },
    redirect: 'manual',
  });

/** Logs somebody in and returns the session's cookies; Koa has a second one for the signature. */
async function login(name: string): Promise<string> {
  const { headers } = await post('/login', `name=${name}`);
  return cookiesOf(headers.getSetCookie());
}

const cookiesOf = (headers: readonly string[] = []) =>
  headers.map((header) => header.split(';')[0]).join('; ');

/** Sends an upgrade request by hand and returns the answer, whatever it is. */
async function upgrade(path: string, headers: Record<string, string> = {}) {
  const req = request({
    port: chat.port,
    host: '127.0.0.1',
    path,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  req.end();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    req.once('response', resolve);
    req.once('error', reject);
    req.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response);
    });
  });
  return { status: answer.statusCode, headers: answer.headers, answer };
}

/** A client that keeps what comes until it is asked for. */
class Client {
  readonly socket: WebSocket;
  private readonly unread: Message[] = [];
  private wake: (() => void) | undefined;

  constructor(cookie: string, room = 'lobby', port = chat.port) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/chat/${room}`, {
      headers: { cookie },
    });
    this.socket.on('message', (data) => {
      this.unread.push(JSON.parse(String(data)));
      this.wake?.();
    });
  }

  /** The next message of a type; those before it are dropped. */
  async next(type: string): Promise<Message> {
    for (;;) {
      const message = this.unread.shift();
      if (message?.type === type) return message;
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }

  async closed(): Promise<{ code: number; reason: string }> {
    const [code, reason] = await once(this.socket, 'close');
    return { code, reason: String(reason) };
  }
}

describe.each(SITES)('on %s, the handshake', (site, cookieName) => {
  beforeEach(async () => {
    chat = await runChat(site);
  });

  test('of a stranger is refused with a 401, which is plain JSON over HTTP', async () => {
    const { status, headers, answer } = await upgrade('/chat/lobby');
    expect(status).toBe(401);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers.connection).toBe('close');
    expect(headers['sec-websocket-accept']).toBeUndefined();
    expect(JSON.parse(await text(answer))).toEqual({ error: 'Log in first.' });
    expect(chat.webSockets()).toEqual([]);
  });

  test.each(['s%3Amade-up.signature', 'nonsense'])(
    'with the cookie %j is refused as well',
    async (value) => {
      const cookie = `${cookieName}=${value}`;
      expect((await upgrade('/chat/lobby', { cookie })).status).toBe(401);
    },
  );

  test('to a room that cannot be is refused with a 400', async () => {
    const { status, answer } = await upgrade('/chat/-', { cookie: await login('Ada') });
    expect(status).toBe(400);
    expect(JSON.parse(await text(answer))).toEqual({
      error: "A room's name has letters and digits, and single hyphens between them.",
    });
  });

  test('from a page of another site is refused with a 403', async () => {
    const cookie = await login('Ada');
    expect((await upgrade('/chat/lobby', { cookie, Origin: 'http://evil.test' })).status).toBe(403);
  });

  test("renews the session cookie on its 101, beside helmet's headers, and is logged once", async () => {
    const cookie = await login('Ada');
    const { status, headers } = await upgrade('/chat/lobby', { cookie });
    expect(status).toBe(101);
    expect(headers['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(cookiesOf(headers['set-cookie'])).toBe(cookie);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(chat.log.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'POST /login 303',
      'GET /chat/lobby 101',
    ]);
  });
});

describe.each(SITES)('on %s, a socket', (site) => {
  beforeEach(async () => {
    chat = await runChat(site);
  });

  test('carries what is said to everybody in the room', async () => {
    const ada = new Client(await login('Ada'));
    await ada.next('welcome');
    const grace = new Client(await login('Grace'));
    expect(await ada.next('joined')).toMatchObject({ person: { name: 'Grace' } });
    await grace.next('welcome');
    grace.socket.send(JSON.stringify({ type: 'say', id: 'g1', text: 'hello' }));
    for (const client of [ada, grace]) {
      expect(await client.next('said')).toEqual({
        type: 'said',
        id: 'g1',
        person: { id: expect.any(String), name: 'Grace', site },
        text: 'hello',
        at: expect.any(Number),
      });
    }
    grace.socket.close();
    expect(await ada.next('left')).toMatchObject({ person: { name: 'Grace' } });
  });

  test('that sends nonsense is told so, and goes on', async () => {
    const ada = new Client(await login('Ada'));
    await ada.next('welcome');
    ada.socket.send('{');
    expect(await ada.next('error')).toEqual({
      type: 'error',
      error: 'A message is a JSON object.',
    });
    ada.socket.send(Buffer.from([0]));
    expect(await ada.next('error')).toEqual({
      type: 'error',
      error: 'A message is text, not binary data.',
    });
    ada.socket.send(JSON.stringify({ type: 'say', id: 'a1', text: 'x'.repeat(501) }));
    expect(await ada.next('error')).toEqual({
      type: 'error',
      error: 'A message has 500 characters at most.',
    });
    ada.socket.send(JSON.stringify({ type: 'say', id: 'a2', text: 'still here' }));
    expect(await ada.next('said')).toMatchObject({ text: 'still here' });
  });

  test('that sends far too much is closed, alone', async () => {
    const ada = new Client(await login('Ada'));
    const grace = new Client(await login('Grace'));
    await Promise.all([ada.next('welcome'), grace.next('welcome')]);
    ada.socket.send('x'.repeat(8 * 1024 + 1));
    expect(await ada.closed()).toMatchObject({ code: 1009 });
    expect(await grace.next('left')).toMatchObject({ person: { name: 'Ada' } });
    grace.socket.send(JSON.stringify({ type: 'say', id: 'g1', text: 'poor Ada' }));
    expect(await grace.next('said')).toMatchObject({ text: 'poor Ada' });
  });

  test('takes the longest text, however it is escaped', async () => {
    const ada = new Client(await login('Ada'));
    await ada.next('welcome');
    const long = `<${'\u0001'.repeat(498)}>`;
    ada.socket.send(JSON.stringify({ type: 'say', id: 'a1', text: long }));
    expect(await ada.next('said')).toMatchObject({ text: long });
  });

  test('is closed when its session is logged out', async () => {
    const cookie = await login('Ada');
    const tabs = [new Client(cookie), new Client(cookie, 'garden')];
    const grace = new Client(await login('Grace'));
    await Promise.all([...tabs, grace].map((client) => client.next('welcome')));
    const goodbyes = Promise.all(tabs.map((client) => client.closed()));
    await post('/logout', '', cookie);
    const goodbye = { code: LOGGED_OUT, reason: 'Logged out' };
    expect(await goodbyes).toEqual([goodbye, goodbye]);
    expect(grace.socket.readyState).toBe(WebSocket.OPEN);
    expect((await upgrade('/chat/lobby', { cookie })).status).toBe(401);
  });

  test('is closed when its session expires', async () => {
    await chat.close();
    chat = await runChat(site, { lifetime: 3000 });
    const cookie = await login('Ada');
    const ada = new Client(cookie);
    await ada.next('welcome');
    expect(await ada.closed()).toEqual({ code: LOGGED_OUT, reason: 'Session expired' });
    expect((await upgrade('/chat/lobby', { cookie })).status).toBe(401);
  });

  test('keeps its name from being taken by somebody else', async () => {
    const ada = new Client(await login('Ada'));
    await ada.next('welcome');
    const answer = await post('/login', 'name=ADA');
    expect(answer.status).toBe(409);
    expect(await answer.json()).toEqual({
      error: 'ADA is in the chat already. Choose another name.',
    });
  });
});

test('what is said on one framework is read on the others', async () => {
  chat = await runChat('Express');
  const others = [
    await runChat('Fastify', {}, 0, chat.chat),
    await runChat('Koa', {}, 0, chat.chat),
  ];
  const everywhere = [chat, ...others];
  const clients: Client[] = [];
  for (const [index, name] of ['Ada', 'Grace', 'Edsger'].entries()) {
    const { port } = everywhere[index];
    const { headers } = await fetch(`http://127.0.0.1:${port}/login`, {
      method: 'POST',
      body: new URLSearchParams({ name }),
      redirect: 'manual',
    });
    const client = new Client(cookiesOf(headers.getSetCookie()), 'lobby', port);
    await client.next('welcome');
    clients.push(client);
  }
  for (const [index, { socket }] of clients.entries()) {
    socket.send(JSON.stringify({ type: 'say', id: `m${index}`, text: `from ${SITES[index][0]}` }));
    for (const client of clients) {
      expect(await client.next('said')).toMatchObject({
        text: `from ${SITES[index][0]}`,
        person: { site: SITES[index][0] },
      });
    }
  }
  for (const { port } of everywhere) {
    const answer = await fetch(`http://127.0.0.1:${port}/sites`);
    expect(await answer.json()).toMatchObject({ sites: SITES.map(([name]) => ({ name })) });
  }
  await Promise.all(others.map((other) => other.close()));
});

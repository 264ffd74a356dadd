import { createHash } from 'node:crypto';
import request from 'supertest';
import type { RunningChat } from './example';
import { runChat, SITES } from './example';

describe.each(SITES)('on %s,', (site, cookieName) => {
  let chat: RunningChat;

  beforeEach(async () => {
    chat = await runChat(site);
  });

  afterEach(() => chat.close());

  const url = () => `http://127.0.0.1:${chat.port}`;
  const agent = () => request.agent(url());

  describe('POST /login', () => {
    test('makes a session, and sends the browser to the page', async () => {
      const browser = agent();
      const answer = await browser.post('/login').type('form').send({ name: ' Ada ' });
      expect(answer.status).toBe(303);
      expect(answer.headers.location).toBe('/');
      expect(answer.headers['set-cookie']).toEqual([
        expect.stringMatching(`^${cookieName}=[^;]+; `),
        // Koa signs in a cookie of its own.
        ...(site === 'Koa' ? [expect.stringMatching(`^${cookieName}\\.sig=[^;]+; `)] : []),
      ]);
      for (const cookie of answer.headers['set-cookie']) {
        const [, ...attributes] = cookie.toLowerCase().split('; ');
        expect(attributes.sort()).toEqual([
          expect.stringMatching(/^expires=.* gmt$/),
          'httponly',
          'path=/',
          'samesite=lax',
        ]);
      }
      const me = await browser.get('/me');
      expect(me.body).toEqual({ id: expect.stringMatching(/^[\da-f-]{36}$/), name: 'Ada', site });
    });

    test.each([
      ['name=', 400, 'Type a name to go by.'],
      ['', 400, 'Type a name to go by.'],
      ['name=Ada&name=Eve', 400, 'Type a name to go by.'],
      [`name=${'a'.repeat(25)}`, 400, 'A name has 24 characters at most.'],
      [
        'name=%3Cb%3E',
        400,
        "A name has letters, digits, spaces and ' . _ - only, a letter or digit first.",
      ],
      [
        `name=${'a'.repeat(2000)}`,
        413,
        expect.stringMatching(/^request (entity|body is) too large$/i),
      ],
    ])('refuses %j', async (form, status, error) => {
      const browser = agent();
      const answer = await browser.post('/login').type('form').send(form);
      expect(answer.status).toBe(status);
      expect(answer.body).toEqual({ error });
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect((await browser.get('/me')).status).toBe(401);
    });

    test('gives a new session id, so that a planted one is worth nothing', async () => {
      const browser = agent();
      const cookieOf = async (name: string) => {
        const answer = await browser.post('/login').type('form').send({ name });
        return cookiesOf(answer.headers['set-cookie']);
      };
      const first = await cookieOf('Ada');
      const second = await cookieOf('Eve');
      expect(second).not.toBe(first);
      expect((await browser.get('/me')).body.name).toBe('Eve');
      expect((await request(url()).get('/me').set('Cookie', first)).status).toBe(401);
      expect((await request(url()).get('/me').set('Cookie', second)).status).toBe(200);
    });
  });

  test('POST /logout ends the session', async () => {
    const browser = agent();
    const login = await browser.post('/login').type('form').send({ name: 'Ada' });
    const cookie = cookiesOf(login.headers['set-cookie']);
    expect((await request(url()).get('/me').set('Cookie', cookie)).status).toBe(200);
    const answer = await browser.post('/logout');
    expect(answer.status).toBe(303);
    expect(answer.headers['set-cookie'][0]).toMatch(
      new RegExp(`^${cookieName}=; .*Thu, 01 Jan 1970`, 'i'),
    );
    // A thief's copy of the cookie is worth nothing either.
    expect((await request(url()).get('/me').set('Cookie', cookie)).status).toBe(401);
  });

  test('POST /logout without a session does no harm', async () => {
    expect((await agent().post('/logout')).status).toBe(303);
  });

  test('GET /me tells a stranger to log in', async () => {
    const answer = await agent().get('/me');
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({ error: 'Log in first.' });
  });

  test('GET / is a page whose policy allows its own style and script, and nothing else', async () => {
    const answer = await agent().get('/');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    const hashOf = (tag: string) => {
      const content = answer.text.split(`<${tag}>`)[1].split(`</${tag}>`)[0];
      return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
    };
    expect(answer.headers['content-security-policy'].split(';')).toEqual([
      "default-src 'none'",
      `script-src ${hashOf('script')}`,
      `style-src ${hashOf('style')}`,
      'img-src data:',
      "connect-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  test('GET of the socket route says what it is for', async () => {
    const browser = agent();
    await browser.post('/login').type('form').send({ name: 'Ada' });
    const answer = await browser.get('/chat/lobby');
    expect(answer.status).toBe(426);
    expect(answer.headers.upgrade).toBe('websocket');
  });
});

const cookiesOf = (headers: unknown) =>
  (headers as string[]).map((header) => header.split(';')[0]).join('; ');

import type { IncomingMessage } from 'node:http';
import Fastify from 'fastify';
import { lookAhead } from '../src/lookahead';

/** What is known of paths before they are routed. */
async function known(
  patterns: { url: string; websocket?: boolean; constrained?: boolean }[],
  paths: string[],
  options = {},
): Promise<Record<string, string>> {
  const app = Fastify(options);
  for (const { url } of patterns) app.get(url, async () => undefined);
  await app.ready();
  const declared = patterns
    .filter(({ websocket = true }) => websocket)
    .map(({ url, constrained = false }) => ({ url, constrained }));
  return Object.fromEntries(
    paths.map((url) => [url, lookAhead(app, { url } as IncomingMessage, declared)]),
  );
}

test('a path may be that of a route, or certainly is none', async () => {
  const patterns = [
    { url: '/chat' },
    { url: '/rooms/:room' },
    { url: '/from/:here-:there' },
    { url: '/files/*' },
    { url: '/late/:name?' },
    { url: '/odd::name' },
    { url: '/page', websocket: false },
    { url: '/pages/:page', websocket: false },
  ];
  expect(
    await known(patterns, [
      '/chat',
      '/chat?x=1',
      '/chat/',
      '/CHAT',
      '/rooms/red',
      '/rooms/red/1',
      '/from/a-b',
      '/files/a/b',
      '/late',
      '/late/x',
      '/odd:name',
      '/none',
      '/pages/x',
      'http://a.example/chat',
    ]),
  ).toEqual({
    '/chat': 'maybe',
    '/chat?x=1': 'maybe',
    '/chat/': 'elsewhere',
    '/CHAT': 'elsewhere',
    '/rooms/red': 'maybe',
    '/rooms/red/1': 'elsewhere',
    '/from/a-b': 'maybe',
    '/files/a/b': 'maybe',
    '/late': 'maybe',
    '/late/x': 'maybe',
    '/odd:name': 'maybe',
    '/none': 'elsewhere',
    '/pages/x': 'elsewhere',
    'http://a.example/chat': 'maybe',
  });
});

test('a page that looks like a route may be one', async () => {
  const patterns = [{ url: '/chat' }, { url: '/page', websocket: false }];
  expect(await known(patterns, ['/page'])).toEqual({ '/page': 'maybe' });
});

test('without a route for WebSockets nothing is', async () => {
  expect(await known([{ url: '/page', websocket: false }], ['/page'])).toEqual({
    '/page': 'elsewhere',
  });
});

test('where URLs are rewritten or routes constrained, everything may be', async () => {
  const rewriteUrl = ({ url }: IncomingMessage) => url;
  expect(await known([{ url: '/chat' }], ['/none'], { rewriteUrl })).toEqual({ '/none': 'maybe' });
  const constrained = [{ url: '/chat' }, { url: '/other', constrained: true }];
  expect(await known(constrained, ['/none'])).toEqual({ '/none': 'maybe' });
});

test('a parser of query strings that fails settles nothing', async () => {
  const querystringParser = () => {
    throw new Error('no such query');
  };
  const options = { routerOptions: { querystringParser } };
  expect(await known([{ url: '/chat' }], ['/chat', '/none'], options)).toEqual({
    '/chat': 'maybe',
    '/none': 'elsewhere',
  });
});

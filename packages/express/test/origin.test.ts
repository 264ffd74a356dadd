import { dial } from '@upwire/adapter-contract';
import { cleanUp } from '../../engine/test/support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

describe.each(VERSIONS)('%s: the origin', (_name, express) => {
  const proxied = {
    Host: 'internal:8080',
    'X-Forwarded-Host': 'app.example',
    'X-Forwarded-Proto': 'https',
    Origin: 'https://app.example',
  };

  test.each<[string, unknown, Record<string, string>, number]>([
    ['trusted, all of them', true, proxied, 101],
    ['trusted, by address', 'loopback', proxied, 101],
    ['trusted, one hop', 1, proxied, 101],
    ['trusted, by function', () => true, proxied, 101],
    [
      'trusted, of which there are two',
      true,
      { ...proxied, 'X-Forwarded-Host': 'app.example, inner' },
      101,
    ],
    ['trusted, and another origin', true, { ...proxied, Origin: 'https://evil.example' }, 403],
    ['trusted, and another scheme', true, { ...proxied, Origin: 'http://app.example' }, 403],
    ['not trusted', false, proxied, 403],
    ['not trusted by default', undefined, proxied, 403],
    ['not trusted at this address', '10.0.0.1', proxied, 403],
  ])('behind a proxy that is %s', async (_what, trustProxy, headers, status) => {
    const { port } = await openSite(express, (app) => {
      if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
      app.ws('/chat', () => undefined);
    });
    expect((await dial(port, '/chat', { headers })).status).toBe(status);
  });

  test('in a mounted application is judged by that one’s own trust', async () => {
    const { port } = await openSite(express, (app, { applyTo }) => {
      app.set('trust proxy', true);
      const heir = express();
      const careful = express();
      for (const inner of [heir, careful]) {
        applyTo(inner);
        inner.ws('/chat', () => undefined);
      }
      careful.set('trust proxy', false);
      app.use('/heir', heir);
      app.use('/careful', careful);
    });
    expect((await dial(port, '/heir/chat', { headers: proxied })).status).toBe(101);
    expect((await dial(port, '/careful/chat', { headers: proxied })).status).toBe(403);
  });
});

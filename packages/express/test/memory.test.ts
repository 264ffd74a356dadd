import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { open } from '@upwire/adapter-contract';
import type { Response } from 'express';
import { cleanUp } from '../../engine/test/support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

setFlagsFromString('--allow-natives-syntax');
/** Whether the properties of an object are where its form says, and not in a hash table of its own. */
const hasFastProperties = runInNewContext('(it) => %HasFastProperties(it)');

describe.each(VERSIONS)('%s', (_name, express) => {
  test('requests have room for what Express sets before it changes what they inherit from', async () => {
    const { port } = await openSite(express, (app) => {
      app.use((request, _response, next) => {
        seen.push(Object.hasOwn(request, 'route'), request.route);
        next();
      });
      app.ws('/chat/:room', (_webSocket, { params, route, baseUrl, originalUrl }) => {
        seen.push(params.room, route.path, baseUrl, originalUrl);
      });
    });
    const seen: unknown[] = [];
    await open(port, '/chat/red?x=1');
    expect(seen).toEqual([true, undefined, 'red', '/chat/:room', '', '/chat/red?x=1']);
  });

  test('the responses of open WebSockets are no hash tables', async () => {
    const responses: Response[] = [];
    const { port } = await openSite(express, (app) => {
      app.ws('/chat', (_webSocket, { res }) => {
        if (res !== undefined) responses.push(res);
      });
    });
    for (let count = 0; count < 4; count++) await open(port, '/chat');
    expect(responses.map((response) => hasFastProperties(response))).toEqual(Array(4).fill(true));
  });
});

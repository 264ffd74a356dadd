import { dial, open } from '@upwire/adapter-contract';
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import { cleanUp } from '../../engine/test/support/site';
import type upwire from '../src/index';
import { openSite, prepare } from './support/site';

afterEach(cleanUp);

const MOVE = {
  type: 'object',
  required: ['to'],
  properties: {
    to: { type: 'integer', minimum: 0 },
    by: { type: 'string', default: 'nobody' },
  },
  additionalProperties: false,
};

/** Gives back each message as it comes to the handler. */
const echo: upwire.WebSocketHandler = (webSocket) => {
  webSocket.on('message', (data) => webSocket.send(JSON.stringify(data)));
};

describe('a JSON Schema for messages', () => {
  const openMoves = (more: Omit<upwire.RouteOptions, 'message'> = {}) =>
    openSite((app) => {
      app.get('/moves', { websocket: { message: MOVE, ...more } }, echo);
    });

  test('lets through what it allows, as Fastify makes of a body: converted, completed, reduced', async () => {
    const { port } = await openMoves();
    const client = await open(port, '/moves');
    expect(await client.ask('{"to":"7","more":1}')).toBe('{"to":7,"by":"nobody"}');
    expect(await client.ask('{"to":0,"by":"ada"}')).toBe('{"to":0,"by":"ada"}');
  });

  test.each([
    ['what it does not allow', '{"to":-1}'],
    ['what lacks something', '{}'],
    ['what is no JSON', 'to: 7'],
  ])('closes with 1007 at %s', async (_what, text) => {
    const { port } = await openMoves();
    const client = await open(port, '/moves');
    client.send(text);
    expect((await client.closed)[0]).toBe(1007);
  });

  test('tells onInvalidMessage what is wrong, and where, with Fastify’s request', async () => {
    const seen: unknown[] = [];
    const { port } = await openMoves({
      onInvalidMessage: (issues, webSocket, { url }) => {
        seen.push(url);
        webSocket.send(JSON.stringify(issues));
      },
    });
    const client = await open(port, '/moves');
    expect(JSON.parse(await client.ask('{"to":-1}'))).toEqual([
      { message: 'must be >= 0', path: ['to'] },
    ]);
    expect(JSON.parse(await client.ask('{}'))).toEqual([
      { message: "must have required property 'to'", path: [] },
    ]);
    expect(seen).toEqual(['/moves', '/moves']);
  });

  test('names keys as they are', async () => {
    const { port } = await openSite((app) => {
      const message = { type: 'object', properties: { 'a/b~c': { type: 'integer' } } };
      const onInvalidMessage: upwire.RouteOptions['onInvalidMessage'] = (issues, webSocket) =>
        webSocket.send(JSON.stringify(issues[0].path));
      app.get('/keys', { websocket: { message, onInvalidMessage } }, echo);
    });
    expect(await (await open(port, '/keys')).ask('{"a/b~c":"x"}')).toBe('["a/b~c"]');
  });

  test('may be for all routes, which may have their own, or none', async () => {
    const { port } = await openSite(
      (app) => {
        app.get('/moves', { websocket: true }, echo);
        app.get('/words', { websocket: { message: { type: 'string' } } }, echo);
        app.get('/zod', { websocket: { message: z.object({ a: z.number() }) } }, echo);
        app.get('/any', { websocket: { message: false } }, echo);
      },
      { message: MOVE },
    );
    expect(await (await open(port, '/moves')).ask('{"to":1}')).toBe('{"to":1,"by":"nobody"}');
    expect(await (await open(port, '/words')).ask('"word"')).toBe('"word"');
    expect(await (await open(port, '/zod')).ask('{"a":1,"b":2}')).toBe('{"a":1}');
    expect(await (await open(port, '/any')).ask('no JSON')).toBe('"no JSON"');
  });

  test('may refer to the schemas of its instance', async () => {
    const { port } = await openSite(async (app) => {
      await app.register(async (inner) => {
        inner.addSchema({ $id: 'move', ...MOVE });
        inner.get('/moves', { websocket: { message: { $ref: 'move#' } } }, echo);
      });
    });
    const client = await open(port, '/moves');
    expect(await client.ask('{"to":"1"}')).toBe('{"to":1,"by":"nobody"}');
  });

  describe('goes to the compiler', () => {
    /** Its language is one word, which it lets through at once or later. */
    const compile: FastifySchemaCompiler<unknown> =
      ({ schema, method, url, httpPart }) =>
      (data) => {
        const { word, later } = schema as { word: string; later: boolean };
        const verdict =
          data === word ? { value: [word, method, url, httpPart] } : { error: new Error('no') };
        // Fastify's type of a promise has a brand that none has.
        return later ? (Promise.resolve(verdict) as never) : verdict;
      };

    test.each<[string, boolean, (app: FastifyInstance, message: object) => void]>([
      [
        'of its instance',
        false,
        (app, message) => {
          app.setValidatorCompiler(compile);
          app.get('/own', { websocket: { message } }, echo);
        },
      ],
      [
        'of its route, whose validators may take their time',
        true,
        (app, message) =>
          app.get('/own', { validatorCompiler: compile, websocket: { message } }, echo),
      ],
    ])('%s', async (_whose, later, declare) => {
      const { port } = await openSite((app) => declare(app, { word: 'hi', later }));
      const client = await open(port, '/own');
      expect(await client.ask('"hi"')).toBe('["hi","GET","/own","body"]');
      client.send('"ho"');
      expect((await client.closed)[0]).toBe(1007);
    });
  });

  test('takes the short answers of a validator: no error, and an error that is a text', async () => {
    const { port } = await openSite((app) => {
      // Fastify's type of an answer has no short ones.
      app.setValidatorCompiler(() => (data) => (data === 'x' ? {} : { error: 'no x' }) as never);
      const onInvalidMessage: upwire.RouteOptions['onInvalidMessage'] = (issues, webSocket) =>
        webSocket.send(JSON.stringify(issues));
      app.get('/own', { websocket: { message: {}, onInvalidMessage } }, echo);
    });
    const client = await open(port, '/own');
    expect(await client.ask('"x"')).toBe('"x"');
    expect(await client.ask('"y"')).toBe('[{"message":"no x","path":[]}]');
  });

  test('that is wrong keeps an instance with other schemas from starting', async () => {
    const app = await prepare();
    app.get('/page', { schema: { querystring: { type: 'object' } } }, async () => 'page');
    app.get('/moves', { websocket: { message: { type: 'no such type' } } }, echo);
    await expect(app.ready()).rejects.toThrow(
      'The "message" schema of the route /moves cannot be compiled: ',
    );
  });

  test('that is wrong is an error at the handshake elsewhere, for Fastify’s compiler is not there before', async () => {
    const { port } = await openSite((app) => {
      app.get('/moves', { websocket: { message: { type: 'no such type' } } }, echo);
    });
    for (let count = 0; count < 2; count++) expect((await dial(port, '/moves')).status).toBe(500);
  });
});

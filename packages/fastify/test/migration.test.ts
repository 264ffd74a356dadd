import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dial, get, open } from '@upwire/adapter-contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import { cleanUp, later } from '../../engine/test/support/site';
// In the program that this is: import websocket from '@fastify/websocket';
import websocket from '../src/index';

afterEach(cleanUp);

/** A program as it is written for `@fastify/websocket`, with everything of that in use. */
async function program(log: string[]) {
  const querystring = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' } },
  };
  const auth = async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.headers.cookie !== 'token=good') await reply.code(401).send({ error: 'log in' });
  };
  const fastify = Fastify();
  await fastify.register(websocket, {
    options: {
      maxPayload: 1_048_576,
      clientTracking: true,
      verifyClient: (info, next) => next(info.req.headers.banned === undefined),
    },
    errorHandler(error, socket, request, reply) {
      log.push(`${error.message} ${request.url} ${reply.sent}`);
      socket.terminate();
    },
    async preClose() {
      for (const client of fastify.websocketServer.clients ?? []) client.close(1001, 'closing');
    },
  });
  fastify.addHook('preValidation', async (request) => {
    log.push(`${request.routeOptions.url} ws: ${request.ws}`);
  });
  fastify.get<{ Params: { room: string }; Querystring: { name: string } }>(
    '/chat/:room',
    { websocket: true, schema: { querystring }, preValidation: auth },
    (socket, req) => {
      socket.on('message', (message) => {
        // A Buffer there, a string here.
        const text = message.toString();
        for (const client of fastify.websocketServer.clients ?? []) {
          if (client.readyState === 1) client.send(`${req.params.room} ${req.query.name}: ${text}`);
        }
      });
    },
  );
  fastify.route({
    method: 'GET',
    url: '/both',
    handler: (_req, reply) => {
      reply.send('http');
    },
    wsHandler: (socket) => {
      socket.send('ws');
    },
  });
  fastify.get('/fails', { websocket: true }, () => {
    throw new Error('broken');
  });
  fastify.register(
    async (inner) => {
      inner.get('/*', { websocket: true }, function (socket) {
        socket.send(`${this.prefix} ${this === inner}`);
      });
    },
    { prefix: '/inner' },
  );
  return fastify;
}

async function listening(log: string[] = []) {
  const fastify = await program(log);
  later(() => fastify.close());
  await fastify.listen({ port: 0, host: '127.0.0.1' });
  const { port } = fastify.server.address() as AddressInfo;
  return { fastify, port };
}

const headers = { cookie: 'token=good' };

test('a program for @fastify/websocket runs with nothing but its import changed', async () => {
  const log: string[] = [];
  const { port } = await listening(log);
  const ada = await open(port, '/chat/red?name=ada', { headers });
  const bob = await open(port, '/chat/red?name=bob', { headers });
  ada.send('hi');
  for (const client of [ada, bob]) expect(await client.message()).toBe('red ada: hi');
  expect(await (await open(port, '/both')).message()).toBe('ws');
  expect((await get(port, '/both')).body).toBe('http');
  expect(await (await open(port, '/inner/a/b')).message()).toBe('/inner true');
  const failing = await open(port, '/fails');
  // Where the socket was cut there, it is told first here, if that leaves in time.
  expect([1006, 1011]).toContain((await failing.closed)[0]);
  expect(log).toEqual([
    '/chat/:room ws: true',
    '/chat/:room ws: true',
    '/both ws: true',
    '/both ws: false',
    '/inner/* ws: true',
    '/fails ws: true',
    'broken /fails true',
  ]);
});

test('it refuses as before, and what it refuses is now told the client in full', async () => {
  const { port } = await listening();
  expect(await dial(port, '/chat/red?name=ada')).toMatchObject({
    status: 401,
    body: '{"error":"log in"}',
  });
  expect((await dial(port, '/chat/red', { headers })).status).toBe(400);
  expect((await dial(port, '/none')).status).toBe(404);
  expect((await dial(port, '/both', { headers: { banned: 'yes' } })).status).toBe(401);
});

test('its tests run without a port', async () => {
  const fastify = await program([]);
  const first = new Promise<string>((resolve) => {
    fastify
      .injectWS('/both', {}, { onInit: (ws) => ws.on('message', (data) => resolve(String(data))) })
      .then((ws) => ws.once('close', () => undefined));
  });
  expect(await first).toBe('ws');
  const ws = await fastify.injectWS('/chat/red?name=ada', { headers });
  const echoed = new Promise((resolve) => ws.once('message', (data) => resolve(String(data))));
  ws.send('hi');
  expect(await echoed).toBe('red ada: hi');
  const closed = new Promise((resolve) =>
    ws.once('close', (code, reason) => resolve([code, String(reason)])),
  );
  await fastify.close();
  expect(await closed).toEqual([1001, 'closing']);
});

test('this file says so of itself', () => {
  const imports = readFileSync(__filename, 'utf8').match(/^import websocket from '.*';$/gm);
  expect(imports).toEqual(["import websocket from '../src/index';"]);
});

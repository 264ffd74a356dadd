import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { dial, open } from '@upwire/adapter-contract';
import type { RequestHandler } from 'express';
import express from 'express';
import session from 'express-session';
import { cleanUp, later, portOf } from '../../engine/test/support/site';
import expressWs from '../src/index';

// What was written for express-ws, with another import.

afterEach(cleanUp);

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

async function listening(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening');
  later(() => {
    server.close();
    server.closeAllConnections();
  });
  return portOf(server);
}

const requireLogin: RequestHandler = (req, res, next) => {
  if (req.get('X-User') === undefined) {
    res.status(401).json({ error: 'log in first' });
    return;
  }
  req.session.user = req.get('X-User');
  next();
};

test('routes of the application and of a router, behind its middleware', async () => {
  const { app, getWss, applyTo } = expressWs(express());
  app.use(session({ secret: 'test', resave: false, saveUninitialized: true }));
  app.use('/chat', requireLogin);
  app.ws('/chat/:room', (ws, req, _next) => {
    ws.on('message', (msg: string) => ws.send(`${req.params.room} ${req.session.user}: ${msg}`));
  });
  const router = express.Router();
  applyTo(router);
  router
    .ws('/in/:x', (ws, req) => {
      ws.on('message', (msg: string) => {
        for (const client of getWss().clients) client.send(`${req.params.x}: ${msg}`);
      });
    })
    .ws('/other', (ws) => ws.close());
  app.use('/sub', router);
  const port = await listening(app.listen(0, '127.0.0.1'));

  const refused = await dial(port, '/chat/red');
  expect([refused.status, refused.body]).toEqual([401, '{"error":"log in first"}']);
  const { status, headers, client } = await dial(port, '/chat/red', {
    headers: { 'X-User': 'ada' },
  });
  expect(status).toBe(101);
  expect(headers['set-cookie']).toEqual([expect.stringMatching(/^connect\.sid=/)]);
  expect(await client.ask('hello')).toBe('red ada: hello');

  const inside = await open(port, '/sub/in/blue');
  expect(getWss().clients.size).toBe(2);
  expect(await inside.ask('to all')).toBe('blue: to all');
  expect(await client.message()).toBe('blue: to all');
  expect((await dial(port, '/nowhere')).status).toBe(404);
});

test('a server made by hand, and options of ws', async () => {
  const app = express();
  const server = createServer(app);
  expressWs(app, server, { leaveRouterUntouched: true, wsOptions: { maxPayload: 10 } }).app.ws(
    '/echo',
    (ws) => {
      ws.on('message', (msg: string) => ws.send(msg));
    },
  );
  const port = await listening(server.listen(0, '127.0.0.1'));

  const client = await open(port, '/echo');
  expect(await client.ask('short')).toBe('short');
  client.send('more than ten bytes');
  expect(await client.closed).toEqual([1009, '']);
});

import assert = require('node:assert');

import type { AddressInfo } from 'node:net';

import WebSocket = require('@upwire/engine');

import { checkEcho } from './echo.cjs';

const options: WebSocket.ServerOptions = { port: 0, host: '127.0.0.1' };
const server: WebSocket.Server = new WebSocket.Server(options);

class Member extends WebSocket {
  name = 'nobody';
}

const members: WebSocket.Server<typeof Member> = new WebSocket.Server({
  noServer: true,
  WebSocket: Member,
});
members.on('connection', (member, request) => member.send(`${member.name}: ${request.url}`));

server.on('connection', (webSocket: WebSocket) => {
  webSocket.on('message', (data: WebSocket.RawData, isBinary: boolean) => {
    webSocket.send(data, { binary: isBinary });
  });
});

// @ts-expect-error the declarations are in force: a path is no number
assert.throws(() => new WebSocket.Server({ noServer: true, path: 1 }), TypeError);
// @ts-expect-error and so are those of the events, of which there is none here: a code is a number
members.on('connection', (member) => member.on('close', (code) => code.trim()));

server.on('listening', async () => {
  await checkEcho((server.address() as AddressInfo).port, '/');
  const goodbye: WebSocket.CloseOptions = { code: 1012, timeout: 1000 };
  await server.close(goodbye);
  const { opened, refused }: WebSocket.ServerStats = server.stats();
  assert.deepEqual([opened, refused], [1, 0]);
});

const pair: WebSocket.WebSocketPair = WebSocket.createPair();
pair.client.opened.then((client: WebSocket) => client.close(1000));
pair.server.closed.then(({ code }: WebSocket.CloseDetails) => assert.equal(code, 1000));

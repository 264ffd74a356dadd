import assert = require('node:assert');

import type { AddressInfo } from 'node:net';

import WebSocket = require('@upwire/engine');

import { checkEcho } from './echo.cjs';

const options: WebSocket.ServerOptions = { port: 0, host: '127.0.0.1' };
const server: WebSocket.Server = new WebSocket.Server(options);

server.on('connection', (webSocket: WebSocket) => {
  webSocket.on('message', (data: WebSocket.RawData, isBinary: boolean) => {
    webSocket.send(data, { binary: isBinary });
  });
});

// @ts-expect-error the declarations are in force: a path is no number
assert.throws(() => new WebSocket.Server({ noServer: true, path: 1 }), TypeError);

server.on('listening', async () => {
  await checkEcho((server.address() as AddressInfo).port, '/');
  server.close();
});

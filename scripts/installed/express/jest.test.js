const { once } = require('node:events');
const express = require('express');
const upwire = require('@upwire/express');
const { checkEcho } = require('./echo.cjs');

test('echoes', async () => {
  const { app } = upwire(express());
  app.ws('/echo', (webSocket) => {
    webSocket.on('message', (text) => webSocket.send(text));
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await checkEcho(server.address().port, '/echo');
  server.close();
  await once(server, 'close');
});

test('injects', async () => {
  const { app, injectWS } = upwire(express());
  app.ws('/echo', (webSocket) => webSocket.send('hello'));
  const webSocket = await injectWS('/echo');
  const [data] = await once(webSocket, 'message');
  expect(String(data)).toBe('hello');
  webSocket.close();
  await once(webSocket, 'close');
  await expect(injectWS('/elsewhere')).rejects.toMatchObject({ status: 404 });
});

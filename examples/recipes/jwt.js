// A token instead of a cookie: the page sends it as a second subprotocol, since browsers let it set no header.
//   new WebSocket('wss://example.com/chat', ['bearer', token])
const { once } = require('node:events');
const express = require('express');
const upwire = require('@upwire/express');
const { next, open } = require('./lib/client');

const secret = new TextEncoder().encode('read me from the environment, 32 bytes at least');

async function main() {
  const { SignJWT, jwtVerify } = await import('jose');

  /** Reads "bearer, <token>". A token that is wrong or too old is answered with a 401. */
  async function requireToken(req, res, next) {
    const [scheme, token] = (req.get('Sec-WebSocket-Protocol') ?? '').split(/ *, */);
    try {
      if (scheme !== 'bearer') throw new Error('no token');
      req.user = (await jwtVerify(token, secret)).payload;
    } catch {
      res.status(401).json({ error: 'A valid token is needed.' });
      return;
    }
    next();
  }

  const { app } = upwire(express(), null, {
    // The answer names the scheme, and not the token.
    subprotocols: ['bearer'],
    // No cookie is involved, so no page can use somebody else's.
    origins: '*',
  });
  app.ws('/chat', requireToken, (webSocket, req) => {
    // A WebSocket must not outlive its token.
    const left = req.user.exp * 1000 - Date.now();
    const expiry = setTimeout(() => webSocket.close(4001, 'Token expired'), left);
    webSocket.on('close', () => clearTimeout(expiry));
    webSocket.send(`hello, ${req.user.sub}`);
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/chat`;

  const sign = (lifetime) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ada')
      .setExpirationTime(lifetime)
      .sign(secret);
  console.log(`no token: ${(await open(url)).status}`);
  console.log(
    `an old one: ${(await open(url, { protocols: ['bearer', await sign('-1m')] })).status}`,
  );
  const { status, headers, webSocket } = await open(url, {
    protocols: ['bearer', await sign('1h')],
    headers: { Origin: 'https://somewhere.example' },
  });
  console.log(`a good one: ${status}, ${headers['sec-websocket-protocol']}`);
  console.log(await next(webSocket));
  server.close();
}

main();

/* Prints:
no token: 401
an old one: 401
a good one: 101, bearer
hello, ada
*/

// The chat as an Express application.
const upwire = require('@upwire/express');
const express = require('express');
const session = require('express-session');
const { LIFETIME, WEBSOCKETS } = require('../chat');
const { commonMiddleware } = require('../middleware');
const { html } = require('../page');
const { readRoomName } = require('../rules');
const { cutLater } = require('../shutdown');

const NAME = 'Express';

function createExpressSite(chat, { secret, store, lifetime = LIFETIME, log }) {
  const { app, getWss } = upwire(express(), null, WEBSOCKETS);

  // Each of these sees the upgrade requests too: the log has a line with the 101, and the 101 has
  // helmet's headers and the renewed session cookie.
  app.use(commonMiddleware(log));
  app.use(
    session({
      name: 'chat.express',
      secret,
      store,
      resave: false,
      saveUninitialized: false,
      rolling: true,
      // `lax` keeps other sites from posting our forms; `auto` sets `secure` where there is TLS.
      cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: lifetime },
    }),
  );

  app.get('/', (_req, res) => {
    res.type('html').set('Cache-Control', 'no-cache').send(html);
  });

  app.post('/login', express.urlencoded({ extended: false, limit: '1kb' }), async (req, res) => {
    const user = chat.logIn(req.body?.name, NAME, req.session.user);
    // A new session id, so that an id planted before the login is worth nothing after it.
    await settled((done) => req.session.regenerate(done));
    req.session.user = user;
    // The browser follows a redirect at once; the session has to be there by then.
    await settled((done) => req.session.save(done));
    res.redirect(303, '/');
  });

  app.post('/logout', async (req, res) => {
    chat.logOut(req.session.user);
    await settled((done) => req.session.destroy(done));
    res.clearCookie('chat.express').redirect(303, '/');
  });

  app.get('/me', requireLogin, (req, res) => {
    res.set('Cache-Control', 'no-store').json(req.session.user);
  });

  app.get('/sites', (_req, res) => {
    res.json({ here: NAME, sites: chat.sites });
  });

  // The point of it all: the guards of a page are the guards of a socket. They run before the
  // handshake is answered, so their 400 or 401 is the answer, and no WebSocket ever existed.
  app.ws('/chat/:room', requireLogin, requireRoomName, (ws, req) => {
    chat.converse(ws, req.session.user, req.roomName, lifetime);
  });

  app.use((error, _req, res, next) => {
    // What a socket's listener throws arrives here as well, with its 101 long gone; so Express logs it.
    const status = error.status ?? 500;
    if (res.headersSent || status >= 500) next(error);
    else res.status(status).json({ error: error.message });
  });

  let server;
  return {
    name: NAME,
    /** Has `clients`, and `connection` events. */
    webSocketServer: () => getWss(),
    listen: (port, host) => {
      server = app.listen(port, host);
      return server;
    },
    close: () => {
      if (server === undefined) return;
      // Says 1001 to every socket as well.
      server.close();
      cutLater(server);
    },
  };
}

function requireLogin(req, res, next) {
  if (req.session.user) next();
  else res.status(401).json({ error: 'Log in first.' });
}

function requireRoomName(req, _res, next) {
  req.roomName = readRoomName(req.params.room);
  next();
}

/** express-session takes callbacks; this makes a promise of one call. */
function settled(start) {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()));
  });
}

module.exports = { createExpressSite };

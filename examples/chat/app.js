// The application: pages, a session, and one WebSocket route that the session protects.
const { randomBytes, randomUUID } = require('node:crypto');
const upwire = require('@upwire/express');
const express = require('express');
const session = require('express-session');
const helmet = require('helmet');
const morgan = require('morgan');
const { contentSecurityPolicy, html } = require('./page');
const { Rooms } = require('./rooms');
const { InputError, readMessage, readName, readRoomName } = require('./rules');

/** Close code that tells the page not to come back before a new login (4000-4999 are ours to define). */
const LOGGED_OUT = 4001;

/**
 * @param {string} [secret] signs the cookie; a random one ends all sessions with the process
 * @param {session.Store} [store] where sessions live; in memory by default, which is for demos only
 * @param {number} [lifetime] of a session, in milliseconds since its last request
 * @param {{ write(line: string): void }} [log] where the requests are logged
 */
function createChat({
  secret = randomBytes(32).toString('hex'),
  store = new session.MemoryStore(),
  lifetime = 8 * 60 * 60 * 1000,
  log = process.stdout,
} = {}) {
  // The longest message, with every character escaped, is well below 8 KiB.
  const { app, getWss } = upwire(express(), null, { maxPayload: 8 * 1024 });
  const rooms = new Rooms();

  // Each of these sees the upgrade requests too: the log has a line with the 101, and the 101 has
  // helmet's headers and the renewed session cookie.
  app.use(morgan('tiny', { stream: log }));
  app.use(helmet({ contentSecurityPolicy }));
  app.use(
    session({
      name: 'chat.sid',
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
    const name = readName(req.body?.name);
    if (rooms.isTaken(name, req.session.user)) {
      throw new InputError(`${name} is in the chat already. Choose another name.`, 409);
    }
    if (req.session.user) rooms.dismiss(req.session.user, LOGGED_OUT, 'Logged out');
    // A new session id, so that an id planted before the login is worth nothing after it.
    await settled((done) => req.session.regenerate(done));
    req.session.user = { id: randomUUID(), name };
    // The browser follows a redirect at once; the session has to be there by then.
    await settled((done) => req.session.save(done));
    res.redirect(303, '/');
  });

  app.post('/logout', async (req, res) => {
    if (req.session.user) rooms.dismiss(req.session.user, LOGGED_OUT, 'Logged out');
    await settled((done) => req.session.destroy(done));
    res.clearCookie('chat.sid').redirect(303, '/');
  });

  app.get('/me', requireLogin, (req, res) => {
    res.set('Cache-Control', 'no-store').json(req.session.user);
  });

  // The point of it all: the guards of a page are the guards of a socket. They run before the
  // handshake is answered, so their 400 or 401 is the answer, and no WebSocket ever existed.
  app.ws('/chat/:room', requireLogin, requireRoomName, (ws, req) => {
    const { user, cookie } = req.session;
    const room = rooms.enter(req.roomName, ws, user);
    // The session was checked once, when the socket opened. It must not outlive the session.
    const expiry = setTimeout(() => ws.close(LOGGED_OUT, 'Session expired'), cookie.maxAge);

    ws.on('message', (data) => {
      try {
        room.say(user, readMessage(data));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        ws.send(JSON.stringify({ type: 'error', error: error.message }));
      }
    });
    ws.on('close', () => {
      clearTimeout(expiry);
      rooms.leave(room, ws);
    });
  });

  app.use((error, _req, res, next) => {
    // What a socket's listener throws arrives here as well, with its 101 long gone; so Express logs it.
    const status = error.status ?? 500;
    if (res.headersSent || status >= 500) next(error);
    else res.status(status).json({ error: error.message });
  });

  return { app, getWss };
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

module.exports = { createChat, LOGGED_OUT };

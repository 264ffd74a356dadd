// Passport: `req.user` is there in the handler, and its guard is the guard of a page.
const { once } = require('node:events');
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const { Strategy } = require('passport-local');
const upwire = require('@upwire/express');
const { logIn, next, open } = require('./lib/client');

const users = [{ id: '1', name: 'Ada', password: 'countess' }];

passport.use(
  new Strategy({ usernameField: 'name' }, (name, password, done) => {
    done(null, users.find((user) => user.name === name && user.password === password) ?? false);
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, users.find((user) => user.id === id) ?? false));

async function main() {
  const { app } = upwire(express());
  app.use(
    session({ secret: 'read me from the environment', resave: false, saveUninitialized: false }),
  );
  app.use(passport.session());
  app.post(
    '/login',
    express.urlencoded({ extended: false }),
    passport.authenticate('local', { successRedirect: '/', failureRedirect: '/login' }),
  );
  app.ws('/chat', requireUser, (webSocket, req) => {
    webSocket.send(`hello, ${req.user.name}`);
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;

  console.log(`a stranger: ${(await open(`${url}/chat`)).status}`);
  const wrong = await logIn(url, { name: 'Ada', password: 'guess' });
  console.log(
    `a wrong password: ${(await open(`${url}/chat`, { headers: { cookie: wrong } })).status}`,
  );
  const cookie = await logIn(url, { name: 'Ada', password: 'countess' });
  const { webSocket } = await open(`${url}/chat`, { headers: { cookie } });
  console.log(await next(webSocket));
  server.close();
}

function requireUser(req, res, next) {
  if (req.isAuthenticated()) next();
  else res.sendStatus(401);
}

main();

/* Prints:
a stranger: 401
a wrong password: 401
hello, Ada
*/

import express from 'express';
import session from 'express-session';
import { converse, secret, serveAdapters, user } from './site.mjs';

function setUp(app) {
  app.use(session({ secret, resave: false, saveUninitialized: false }));
  app.get('/login', (request, response) => {
    request.session.user = user;
    response.end('welcome');
  });
  app.ws('/echo', (ws, request) => converse(ws, request.session));
}

serveAdapters({
  async peer(server) {
    const { default: expressWs } = await import('express-ws');
    const app = express();
    expressWs(app, server);
    setUp(app);
    server.on('request', app);
  },
  async upwire(server) {
    const { default: upwire } = await import('@upwire/express');
    const { app } = upwire(express(), server);
    setUp(app);
    server.on('request', app);
  },
});

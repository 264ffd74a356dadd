// The engine and `ws`: one API, one program.
import { closeHttp, page, serveSubject } from './site.mjs';

const pathOf = ({ url }) => url.replace(/\?.*/, '');

/** Decides on a handshake as applications of `ws` do. */
function verifierOf(routes) {
  return ({ req }, callback) => {
    const route = routes.find(({ path }) => path === pathOf(req));
    if (route === undefined) return callback(false, 404);
    const { guard = () => 0 } = route;
    const answer = (status) => callback(status === 0, status || undefined);
    const decision = guard(req);
    if (typeof decision === 'number') return answer(decision);
    return decision.then(answer);
  };
}

async function answerPage(request, response) {
  if (request.url !== page.path) return response.writeHead(404).end();
  await page.delay();
  return response.end(page.body);
}

function setUp({ WebSocketServer, WebSocket }, { http, options, routes }, close) {
  http.on('request', answerPage);
  const server = new WebSocketServer({
    ...options,
    server: http,
    verifyClient: verifierOf(routes),
  });
  server.on('connection', (ws, request) =>
    routes.find(({ path }) => path === pathOf(request)).handle(ws),
  );
  return { classes: [WebSocket], lasting: [server], close: () => close(server, http) };
}

serveSubject({
  async upwire(site) {
    return setUp(await import('@upwire/engine'), site, async (server, http) => {
      await server.close({ timeout: site.options.closeTimeout });
      await closeHttp(http);
    });
  },
  async peer(site) {
    return setUp(await import('ws'), site, async (server, http) => {
      await new Promise((resolve) => server.close(resolve));
      await closeHttp(http);
    });
  },
});

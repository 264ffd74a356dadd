// Bun's own server (uWebSockets), run by Bun.
import { serve } from '../control/serve.mjs';
import { payload } from '../wire/payloads.mjs';
import { certificate } from './tls.mjs';

const tally = { messages: 0, units: 0 };
const topic = 'all';

/** Each makes what a WebSocket does with a message. */
const behaviours = {
  idle: () => () => {
    // Nobody says anything.
  },
  echo:
    ({ deflate }) =>
    (ws, data) =>
      ws.send(data, deflate),

  sink({ acknowledge }) {
    return (ws, data) => {
      tally.messages++;
      tally.units += data.length;
      if (++ws.data.count % acknowledge === 0) ws.send('ok');
    };
  },

  source({ burst, payload: spec }) {
    const bytes = payload(spec);
    const message = spec.content === 'binary' ? bytes : bytes.toString();
    return (ws) => {
      for (let count = 0; count < burst; count++) ws.send(message);
    };
  },

  broadcast({ burst, loop, deflate }, server, clients) {
    if (loop) {
      return (_ws, data) => {
        for (let count = 0; count < burst; count++) {
          for (const client of clients) client.send(data);
        }
      };
    }
    return (_ws, data) => {
      for (let count = 0; count < burst; count++) server().publish(topic, data, deflate);
    };
  },
};

function start(behaviour) {
  const clients = new Set();
  const { deflate = false } = behaviour;
  const settings = { ...behaviour, deflate };
  const message = behaviours[behaviour.behaviour](settings, () => server, clients);
  const server = globalThis.Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    ...(behaviour.tls ? { tls: certificate() } : {}),
    fetch(request, self) {
      if (self.upgrade(request, { data: { count: 0 } })) return undefined;
      return new Response('', { status: 426 });
    },
    websocket: {
      perMessageDeflate: deflate,
      message,
      open(ws) {
        clients.add(ws);
        if (behaviour.behaviour === 'broadcast') ws.subscribe(topic);
      },
      close: (ws) => clients.delete(ws),
    },
  });
  return server.port;
}

serve({
  listen: (behaviour) => ({ port: start(behaviour) }),
  tally: () => tally,
});

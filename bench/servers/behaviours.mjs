// What a server does with its WebSockets, written for the API that `ws` and Upwire share, as their users write it.
import { payload } from '../wire/payloads.mjs';

/**
 * @typedef {object} Behaviour how a server is to be; see `scenarios.mjs` for what each is for
 * @property {'echo' | 'sink' | 'source' | 'broadcast' | 'idle'} behaviour
 * @property {boolean} [deflate] agree on compression
 * @property {boolean} [tls]
 * @property {import('../wire/payloads.mjs').PayloadSpec} [payload] what comes, or for `source` what goes out
 * @property {number} [acknowledge] `sink`: received messages of a connection that it answers with one
 * @property {number} [burst] `source` and `broadcast`: messages for each one received
 * @property {boolean} [loop] `broadcast`: send to one after the other, where there is a call for all
 */

/** What has come in. @typedef {{ messages: number, units: number }} Tally */

const behaviours = {
  idle() {
    // The library answers the close frame.
  },

  echo(ws) {
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  },

  /** Reads each message as applications do: a text becomes a string. */
  sink(ws, { acknowledge }, tally) {
    let count = 0;
    ws.on('message', (data, isBinary) => {
      tally.messages++;
      tally.units += isBinary ? data.length : data.toString().length;
      if (++count % acknowledge === 0) ws.send('ok');
    });
  },

  source(ws, { burst, payload: spec }) {
    const bytes = payload(spec);
    const message = spec.content === 'binary' ? bytes : bytes.toString();
    ws.on('message', () => {
      for (let count = 0; count < burst; count++) ws.send(message);
    });
  },

  broadcast(ws, { burst, loop }, _tally, server) {
    const toAll = loop ? sendToEach : server.sendToAll;
    ws.on('message', (data, isBinary) => {
      for (let count = 0; count < burst; count++) toAll(server.clients, data, isBinary);
    });
  },
};

/** A broadcast as programs for `ws` write it. */
export function sendToEach(clients, data, isBinary) {
  for (const client of clients) {
    if (client.readyState === 1) client.send(data, { binary: isBinary });
  }
}

/**
 * @param {object} ws the WebSocket of a client that has just come
 * @param {Behaviour} behaviour
 * @param {Tally} tally
 * @param {{ clients: Iterable<object>, sendToAll: typeof sendToEach }} server
 */
export function behave(ws, behaviour, tally, server) {
  behaviours[behaviour.behaviour](ws, behaviour, tally, server);
}

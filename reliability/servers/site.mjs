// The application that every subject serves, and what the runner may ask its process for.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { serve } from '../../bench/control/serve.mjs';
import { certificate } from '../../bench/servers/tls.mjs';
import { resources, takeCensus } from './census.mjs';
import { faults } from './faults.mjs';
import { beat } from './heartbeat.mjs';
import { callInStates } from './states.mjs';

const after = (milliseconds, value) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds, value));

/**
 * @typedef {object} Route
 * @property {string} path
 * @property {(request: import('node:http').IncomingMessage) => number | Promise<number>} [guard] the status to refuse a
 *   handshake with, or 0
 * @property {string} [guarded] the path that the guard stands in front of, where middleware has one
 * @property {(ws: object) => unknown} handle
 */

/** What the application does, and what it has seen. */
class Application {
  /** Counts of this process so far. */
  tally = { reached: 0, opened: 0, closed: 0, twice: 0, handled: 0, codes: {} };
  /** WebSockets that have not told their end. */
  open = new Set();
  states;
  /** Whether it listens to errors, as F7 is about those who do not. */
  careful = false;

  /** @type {Route[]} */
  routes = [
    { path: '/echo', handle: (ws) => this.#echo(ws) },
    { path: '/slow', guard: () => after(250, 0), guarded: '/slow', handle: (ws) => this.#echo(ws) },
    {
      path: '/never',
      guard: () => new Promise(() => undefined),
      guarded: '/never',
      handle: () => undefined,
    },
    {
      path: '/admin/x',
      guard: ({ headers }) => (headers['x-token'] === 'good' ? 0 : 401),
      guarded: '/admin',
      handle: () => {
        this.tally.reached += 1;
      },
    },
    { path: '/leave', handle: (ws) => ws.on('message', () => ws.close(4000, 'bye')) },
    { path: '/ack', handle: (ws) => this.#acknowledge(ws) },
    {
      path: '/states',
      handle: async (ws) => {
        this.states = await callInStates(ws);
      },
    },
    ...Object.entries(faults).map(([path, handle]) => ({ path, handle })),
  ].map((route) => ({
    ...route,
    handle: (ws) => {
      this.#watch(ws);
      return route.handle(ws);
    },
  }));

  #echo(ws) {
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary === true }));
  }

  #acknowledge(ws) {
    ws.on('message', (data) => {
      ws.send(String(data), (error) => {
        // What comes behind our close frame can be answered no more.
        if (!error) this.tally.handled += 1;
      });
    });
  }

  #watch(ws) {
    const { tally, open } = this;
    tally.opened += 1;
    open.add(ws);
    if (this.careful) ws.on('error', () => undefined);
    ws.on('close', (code) => {
      tally.closed += 1;
      if (!open.delete(ws)) tally.twice += 1;
      tally.codes[code] = (tally.codes[code] ?? 0) + 1;
    });
  }
}

/** Sends each client messages of its own, as applications do; one behind the other, and no faster than it is told. */
async function feed(clients, { count, size, interval }) {
  for (let number = 0; number < count; number++) {
    const sent = Date.now();
    for (const ws of clients) {
      if (ws.readyState !== 1) continue;
      const message = Buffer.alloc(size, number);
      message.writeDoubleBE(sent);
      ws.send(message, () => undefined);
    }
    await after(Math.max(0, sent + interval - Date.now()));
  }
}

/** The most memory there has been between two questions. */
class MemoryWatch {
  #most = 0;
  #timer;

  start() {
    const look = () => {
      this.#most = Math.max(this.#most, process.memoryUsage.rss());
    };
    this.#most = 0;
    look();
    this.#timer = setInterval(look, 10);
    return this.#most;
  }

  stop() {
    clearInterval(this.#timer);
    return Math.max(this.#most, process.memoryUsage.rss());
  }
}

function createHttp({ tls, http = {} }) {
  return tls ? createSecureServer({ ...certificate(), ...http }) : createServer(http);
}

/**
 * @typedef {object} Wiring what a library's program returns
 * @property {Function[]} classes of its WebSockets
 * @property {import('node:events').EventEmitter[]} [lasting] whatever has listeners and outlives connections
 * @property {() => unknown} close the call that its documentation has for closing, over when its promise settles
 */

/**
 * The program of a library's two subjects.
 *
 * @param {Record<'upwire' | 'peer', (site: object) => Promise<Wiring> | Wiring>} libraries each sets the application up on a
 *   server that does not listen yet
 */
export function serveSubject(libraries) {
  const application = new Application();
  const memory = new MemoryWatch();
  let http;
  let wiring;
  let delays;

  serve({
    async listen({ library, host = '127.0.0.1', options = {}, careful = false, ...server }) {
      application.careful = careful;
      http = createHttp(server);
      wiring = await libraries[library]({ http, options, routes: application.routes });
      const { interval } = options.heartbeat ?? {};
      if (library === 'peer' && interval > 0) beat(application.open, interval);
      http.listen({ port: 0, host, backlog: 4096 });
      await once(http, 'listening');
      return { port: http.address().port };
    },
    async state() {
      const connections = await new Promise((resolve) =>
        http.getConnections((_error, count) => resolve(count)),
      );
      return { ...application.tally, open: application.open.size, connections, ...resources() };
    },
    states: () => application.states,
    census: () => takeCensus(wiring.classes, [http, process, ...(wiring.lasting ?? [])]),
    watchMemory: () => memory.start(),
    mostMemory: () => memory.stop(),
    watchLoop() {
      delays = monitorEventLoopDelay({ resolution: 5 });
      delays.enable();
    },
    loop() {
      delays.disable();
      return { p99: delays.percentile(99) / 1e6, longest: delays.max / 1e6 };
    },
    stall({ milliseconds }) {
      const end = performance.now() + milliseconds;
      while (performance.now() < end);
    },
    feed: (order) => feed(application.open, order),
    /** Ends every WebSocket, as an operator would. */
    clear() {
      for (const ws of application.open) ws.terminate();
    },
    async close({ patience }) {
      const start = performance.now();
      const closed = Promise.resolve(wiring.close()).then(() => true);
      const settled = await Promise.race([closed, after(patience, false)]);
      return { settled, milliseconds: performance.now() - start, ...application.tally };
    },
  });
}

/** Closes an HTTP server and settles when it has. */
export const closeHttp = (http) => new Promise((resolve) => http.close(() => resolve()));

/** The page that every application has beside its WebSockets. */
export const page = { path: '/page', body: 'a page', delay: () => after(20) };

// How many of the things that belong to connections the heap holds.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import v8 from 'node:v8';

/** Node's timers have a class that it does not give out. */
function timerClass() {
  const timer = setTimeout(() => undefined, 1);
  clearTimeout(timer);
  return timer.constructor;
}

const Timeout = timerClass();

function count(type) {
  return v8.queryObjects(type, { format: 'count' });
}

/**
 * Counts what there is when all garbage is gone, classes that are derived from these with it.
 *
 * @param {Function[]} webSocketClasses
 * @param {import('node:events').EventEmitter[]} lasting what outlives connections and has listeners
 */
export function takeCensus(webSocketClasses, lasting) {
  const listeners = lasting.map((emitter) =>
    emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0),
  );
  return {
    sockets: count(Socket),
    requests: count(IncomingMessage),
    responses: count(ServerResponse),
    webSockets: webSocketClasses.reduce((sum, one) => sum + count(one), 0),
    timers: count(Timeout),
    listeners: listeners.reduce((sum, one) => sum + one, 0),
    ...resources(),
  };
}

/** What of the network keeps the event loop busy. Pipes are those to the runner, opened when they are first wanted. */
export function resources() {
  const names = process.getActiveResourcesInfo();
  return {
    handles: names.filter((name) => /^(TCP|TLS)/.test(name)).length,
    activeTimers: names.filter((name) => name === 'Timeout').length,
  };
}

/**
 * The heartbeat that the README of ws has its users write, for those that bring none.
 *
 * @param {Iterable<object>} clients
 * @param {number} interval
 */
export function beat(clients, interval) {
  const alive = new WeakMap();
  const timer = setInterval(() => {
    for (const ws of clients) {
      if (alive.get(ws) === false) {
        ws.terminate();
        continue;
      }
      if (!alive.has(ws)) ws.on('pong', () => alive.set(ws, true));
      alive.set(ws, false);
      ws.ping();
    }
  }, interval);
  timer.unref();
}

import type { WebSocket } from 'ws';
import { BINARY, CLOSE, frame, TEXT } from '../support/frames';
import type { Differences, Scenario, Scenarios } from './transcript';
import { outcome, scene, show, wire } from './transcript';

const KEY = 77;

/** Listeners of some kind on a socket that is sent a text, a binary message and a close frame with a reason. */
function heard(listen: (socket: WebSocket, note: (...entry: unknown[]) => void) => void): Scenario {
  return scene(async ({ socket, client, events }) => {
    const notes: unknown[] = [];
    listen(socket, (...entry) => notes.push(entry.map(show)));
    client.write(
      frame({ opcode: TEXT, payload: 'text', key: KEY }),
      frame({ opcode: BINARY, payload: 'bytes', key: KEY }),
      frame({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8, 0x62, 0x79, 0x65]), key: KEY }),
    );
    await wire(client);
    client.end();
    await events.closed;
    return notes;
  });
}

export const listening: Scenarios = {
  'what events carry': heard((socket, note) => {
    socket.addEventListener('message', (event) =>
      note(event.type, event.data, event.target === socket),
    );
    socket.addEventListener('close', (event) => {
      note(event.type, event.code, event.reason, event.wasClean, event.target === socket);
    });
  }),
  'what an error event carries': scene(async ({ socket, client, events }) => {
    const notes: unknown[] = [];
    socket.addEventListener('error', (event) => {
      notes.push([event.type, event.message, show(event.error), event.target === socket]);
    });
    socket.onerror = (event) => notes.push(['onerror', event.message]);
    socket.addEventListener('close', (event) => notes.push([event.code, event.wasClean]));
    client.write(frame({ opcode: 3, key: KEY }));
    await wire(client);
    client.end();
    await events.closed;
    return notes;
  }),
  attributes: heard((socket, note) => {
    const first = (): void => note('first');
    note(socket.onmessage, socket.onopen, socket.onclose, socket.onerror);
    socket.onmessage = first;
    note(socket.onmessage === first);
    socket.onmessage = (event) => note('second', event.data);
    socket.removeEventListener('message', first);
    note(typeof socket.onmessage);
    socket.onclose = (event) => note(event.code, event.reason);
    socket.onclose = 'nonsense' as never;
    note(socket.onclose);
  }),
  'an attribute, a listener and an emitter listener': heard((socket, note) => {
    const listener = (): void => note('same function');
    socket.onmessage = listener;
    socket.addEventListener('message', listener);
    socket.on('message', listener);
    note(socket.listenerCount('message'));
    socket.removeEventListener('message', listener);
    note(socket.listenerCount('message'));
  }),
  'a listener that is added twice': heard((socket, note) => {
    const listener = (): void => note('heard');
    socket.addEventListener('message', listener);
    socket.addEventListener('message', listener);
    socket.addEventListener('message', listener, { once: true });
  }),
  'a listener for one event': heard((socket, note) => {
    socket.addEventListener('message', (event) => note(event.data), { once: true });
  }),
  'a listener for one event that is removed': heard((socket, note) => {
    const listener = (): void => note('heard');
    socket.addEventListener('message', listener, { once: true });
    socket.removeEventListener('message', listener);
  }),
  'an object with handleEvent': heard((socket, note) => {
    const listener = {
      name: 'handler',
      handleEvent(event: { data: unknown }) {
        note(this.name, event.data);
      },
    };
    socket.addEventListener('message', listener as never);
    socket.addEventListener('message', listener as never);
  }),
  'an object with handleEvent that is removed': heard((socket, note) => {
    const listener = { handleEvent: () => note('heard') };
    socket.addEventListener('message', listener as never);
    socket.removeEventListener('message', listener as never);
  }),
  'the listener’s this': heard((socket, note) => {
    socket.addEventListener('message', function (this: unknown) {
      note(this === socket);
    });
    socket.onclose = function (this: unknown) {
      note(this === socket);
    };
  }),
  'events that are no events': heard((socket, note) => {
    socket.addEventListener('ping' as never, (() => note('never')) as never);
    socket.addEventListener('constructor' as never, (() => note('never')) as never);
    note(socket.listenerCount('ping'), socket.listenerCount('constructor'));
    note(outcome(() => socket.removeEventListener('ping' as never, (() => 0) as never)));
  }),
  'binary data in an event': heard((socket, note) => {
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', (event) => note(event.data));
  }),
  'what for…in shows': heard((socket, note) => {
    const names: string[] = [];
    for (const name in socket) names.push(name);
    const api =
      /^(binaryType|bufferedAmount|extensions|isPaused|on(open|message|close|error)|protocol|readyState|url|[A-Z]+|addEventListener|removeEventListener|send|close|ping|pong|pause|resume|terminate|setSocket)$/;
    note(names.filter((name) => api.test(name)).sort());
  }),
  'the state constants': heard((socket, note) => {
    const Class = socket.constructor as unknown as Record<string, unknown>;
    for (const owner of [Class, Class.prototype]) {
      for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']) {
        note(name, Object.getOwnPropertyDescriptor(owner, name));
      }
    }
  }),
  'properties of a socket': scene(
    ({ socket }) => [
      socket.protocol,
      socket.extensions,
      socket.url,
      socket.binaryType,
      socket.readyState,
      socket.isPaused,
      socket.bufferedAmount,
    ],
    {},
    { 'Sec-WebSocket-Protocol': 'chat, other' },
  ),
};

export const listeningDifferences: Differences = {
  'events are those of the platform': {
    run: heard((socket, note) => {
      socket.onclose = (event) => note(event instanceof Event, event.constructor.name);
    }),
    ws: [[false, 'CloseEvent']],
    upwire: [[true, 'CloseEvent']],
  },
};

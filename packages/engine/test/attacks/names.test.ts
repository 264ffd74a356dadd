// T3: names that every object has are names like any other (GHSA-5v72-xg48-5rpm).
import { once } from 'node:events';
import engine, { PerMessageDeflate, WebSocket } from '../../src/index';
import { frame, PING, PONG, TEXT } from '../support/frames';
import { request } from '../support/raw-client';
import { RawServer } from '../support/raw-server';
import { afterTest, connected, rawClient, startServer } from '../support/stage';

const NAMES = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'isPrototypeOf',
  'prototype',
  'toString',
  'valueOf',
  '__defineGetter__',
  'then',
];

/** Whether nothing has come to be on all objects. */
function untouched(): boolean {
  return (
    Object.keys(Object.prototype).length === 0 && Object.getPrototypeOf({}) === Object.prototype
  );
}

afterEach(() => expect(untouched()).toBe(true));

test.each(NAMES)('%s as an extension, a parameter and its value, in an offer', async (name) => {
  const server = await startServer({ perMessageDeflate: true });
  for (const [offer, answer] of [
    [`${name}; ${name}=${name}`, ''],
    [`permessage-deflate; ${name}`, ''],
    [`permessage-deflate; ${name}=1`, ''],
    [`permessage-deflate; server_max_window_bits=${name}`, ''],
    [`${name}, permessage-deflate`, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'],
  ]) {
    const client = await rawClient(server);
    client.write(request({ 'Sec-WebSocket-Extensions': offer }));
    const head = await client.head();
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head.match(/Sec-WebSocket-Extensions: .*\r\n/)?.[0] ?? '').toBe(answer);
  }
});

test.each(NAMES)(
  '%s as an extension, a parameter and a subprotocol, in an answer',
  async (name) => {
    for (const [lines, message] of [
      [
        [`Sec-WebSocket-Extensions: ${name}`],
        'Server indicated an extension that was not requested',
      ],
      [
        [`Sec-WebSocket-Extensions: permessage-deflate; ${name}`],
        'Invalid Sec-WebSocket-Extensions header',
      ],
      [[`Sec-WebSocket-Protocol: ${name}`], 'Server sent an invalid subprotocol'],
    ] as const) {
      const server = await RawServer.listen((incoming) => {
        incoming.upgrade(
          ...(message.includes('subprotocol') ? [] : ['Sec-WebSocket-Protocol: a']),
          ...lines,
        );
      });
      const client = new WebSocket(server.url, ['a']);
      const [error] = (await once(client, 'error')) as [Error];
      expect(error.message).toBe(message);
      await server.close();
    }
  },
);

test.each(NAMES)(
  '%s as a subprotocol that both sides want, in a header and in the query',
  async (name) => {
    const server = await startServer({
      path: `/${name}`,
      handleProtocols: (offered) => [...offered][1],
    });
    const { port } = server.address() as { port: number };
    const connection = once(server, 'connection') as Promise<
      [WebSocket, { headers: object; url: string }]
    >;
    const client = new WebSocket(
      `ws://127.0.0.1:${port}/${name}?${name}=${name}`,
      ['other', name],
      {
        headers: Object.fromEntries([[name, name]]),
      },
    );
    afterTest(() => client.terminate());
    await once(client, 'open');
    const [socket, incoming] = await connection;
    expect([client.protocol, socket.protocol, incoming.url]).toEqual([
      name,
      name,
      `/${name}?${name}=${name}`,
    ]);
  },
);

test.each(NAMES)('%s as a message, a ping and a pong', async (name) => {
  const { socket, client } = await connected();
  const heard: unknown[] = [];
  for (const event of ['message', 'ping', 'pong']) {
    socket.on(event, (data: Buffer) => heard.push([event, String(data)]));
  }
  const last = once(socket, 'pong');
  client.write(...[TEXT, PING, PONG].map((opcode) => frame({ opcode, payload: name, key: 9 })));
  await last;
  expect(heard).toEqual([
    ['message', name],
    ['ping', name],
    ['pong', name],
  ]);
  expect((await client.frame())?.payload.toString()).toBe(name);
});

test.each(NAMES)('%s as a topic', async (name) => {
  const { socket, server, client } = await connected();
  expect([socket.isSubscribed(name), server.subscribers(name).size]).toEqual([false, 0]);
  expect([socket.subscribe(name), server.publish(name, 'news')]).toEqual([true, 1]);
  expect((await client.frame())?.payload.toString()).toBe('news');
  expect([socket.unsubscribe(name), server.publish(name, 'news')]).toEqual([true, 0]);
});

test.each(NAMES)('%s as the type of a listener', async (name) => {
  const { socket } = await connected();
  const listener = () => undefined;
  socket.addEventListener(name as 'open', listener);
  socket.removeEventListener(name as 'open', listener);
  expect(socket.listenerCount(name)).toBe(0);
});

test.each(NAMES)('%s in the helpers', (name) => {
  const header = `${name}; ${name}=${name}; ${name}`;
  const parsed = engine.extension.parse(header);
  expect(Object.getPrototypeOf(parsed)).toBeNull();
  expect(Object.entries(parsed)).toEqual([
    [name, [Object.assign(Object.create(null), Object.fromEntries([[name, [name, true]]]))]],
  ]);
  expect(engine.extension.format(parsed)).toBe(header);
  expect([...engine.subprotocol.parse(name)]).toEqual([name]);
  const deflate = new PerMessageDeflate({ isServer: true });
  expect(() => deflate.accept([parsed[name][0]])).toThrow(
    `Parameter "${name}" must have only a single value`,
  );
});

test('options with a prototype of the attacker’s', async () => {
  const options = JSON.parse(
    '{"__proto__": {"maxPayload": 1, "noServer": true}, "port": 0, "host": "127.0.0.1"}',
  );
  const server = await startServer(options);
  expect([server.options.maxPayload, server.options.noServer]).toEqual([104_857_600, false]);
});

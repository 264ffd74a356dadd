import { readFileSync } from 'node:fs';
import { Agent, globalAgent } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { WebSocket } from '../../src/index';
import { errorOf, once } from '../support/client-events';
import { clientLibraries } from '../support/clients';
import { LoopbackProxy } from '../support/proxies';
import { RawServer } from '../support/raw-server';

const pem = (name: string): Buffer =>
  readFileSync(join(__dirname, '..', 'fixtures', `${name}.pem`));

/** A server that says hello to whoever connects. */
function greeting(secure: boolean): Promise<RawServer> {
  return RawServer.listen(
    (request) => {
      request.upgrade();
      request.socket.write(Buffer.from('810548656c6c6f', 'hex'));
    },
    secure
      ? (onSocket) => createServer({ cert: pem('server.cert'), key: pem('server.key') }, onSocket)
      : undefined,
  );
}

const KINDS = [
  [
    'HTTP',
    () => LoopbackProxy.http(),
    (port: number) => new HttpsProxyAgent(`http://127.0.0.1:${port}`),
  ],
  [
    'SOCKS',
    () => LoopbackProxy.socks(),
    (port: number) => new SocksProxyAgent(`socks5h://127.0.0.1:${port}`),
  ],
] as const;

describe.each(clientLibraries)('a client of $name', (library) => {
  describe.each(KINDS)('behind a %s proxy', (_kind, start, agentOf) => {
    test.each(['ws', 'wss'])('speaks %s: through it', async (scheme) => {
      const [proxy, server] = [await start(), await greeting(scheme === 'wss')];
      const client = new library.WebSocket(`${scheme}://localhost:${server.port}/a`, {
        agent: agentOf(proxy.port),
        ca: pem('authority.cert'),
      });
      expect(String(await once<Buffer>(client, 'message'))).toBe('Hello');
      expect(proxy.asked).toEqual([`localhost:${server.port}`]);
      expect(server.requests[0].line).toBe('GET /a HTTP/1.1');
      client.terminate();
      await Promise.all([proxy.close(), server.close()]);
    });

    test('hears that the server is not there', async () => {
      const [proxy, server] = [await start(), await greeting(false)];
      const { port } = server;
      await server.close();
      const client = new library.WebSocket(`ws://localhost:${port}/`, {
        agent: agentOf(proxy.port),
      });
      const closed = once(client, 'close');
      expect(await errorOf(client)).toMatchObject({ name: 'Error' });
      expect(await closed).toBe(1006);
      await proxy.close();
    });
  });
});

test('clients behind one proxy wait for each other', async () => {
  const proxy = await LoopbackProxy.http();
  const server = await RawServer.listen(() => undefined);
  const agent = new HttpsProxyAgent(`http://127.0.0.1:${proxy.port}`);
  const clients = [0, 1, 2].map(
    (index) => new WebSocket(`ws://a.example:${server.port}/${index}`, { agent }),
  );
  for (const [index, client] of clients.entries()) {
    const opened = once(client, 'open');
    while (server.requests.length === index) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(proxy.asked).toHaveLength(index + 1);
    server.requests[index].upgrade();
    await opened;
    client.terminate();
  }
  expect(server.requests.map((request) => request.line.split(' ')[1])).toEqual(['/0', '/1', '/2']);
  await Promise.all([proxy.close(), server.close()]);
});

/** What Node 22.21 and 24.5 give their agents when they are told to find proxies in the environment. */
describe('where Node finds proxies in the environment', () => {
  // What the types do not know of Node's own agents.
  const agent = globalAgent as unknown as {
    options: { proxyEnv?: unknown };
    addRequest?: (...args: unknown[]) => void;
  };
  let asked: number;

  beforeEach(() => {
    asked = 0;
    agent.options.proxyEnv = {};
    const { addRequest } = Agent.prototype as unknown as {
      addRequest: (...args: unknown[]) => void;
    };
    agent.addRequest = (...args: unknown[]) => {
      asked += 1;
      addRequest.apply(agent, args);
    };
  });

  afterEach(() => {
    delete agent.options.proxyEnv;
    delete agent.addRequest;
  });

  test.each<[string, () => object, number]>([
    ['its agent connects', () => ({}), 1],
    ['agent false connects by itself', () => ({ agent: false }), 0],
    ['an agent of the caller’s connects', () => ({ agent: new Agent() }), 0],
    [
      'createConnection connects',
      () => ({
        createConnection: (options: { port: number }) => connect(options.port, '127.0.0.1'),
      }),
      0,
    ],
  ])('%s', async (_name, options, expected) => {
    const server = await greeting(false);
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/`, options());
    await once(client, 'open');
    expect(asked).toBe(expected);
    client.terminate();
    await server.close();
  });
});

import { readFileSync } from 'node:fs';
import { Agent, ClientRequest, globalAgent } from 'node:http';
import { globalAgent as secureAgent } from 'node:https';
import type { AddressInfo, LookupFunction, Server } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { createServer as createSecureServer } from 'node:tls';
import type { CreateConnection } from '../../src/io/connect';
import {
  agentInTurn,
  connectInTurn,
  connectPlain,
  connectSecure,
  environmentProxyAgent,
} from '../../src/io/connect';
import type { Turn } from '../../src/io/handshake-queue';
import { HandshakeQueue } from '../../src/io/handshake-queue';

/** A turn that comes when the one before it leaves. */
function secondTurn(): { first: Turn; turn: Turn } {
  const queue = new HandshakeQueue();
  const join = (): Turn => queue.join('a.example:80', () => undefined);
  return { first: join(), turn: join() };
}

/** Every name is this machine, by the one address that the server listens on. */
const lookup: LookupFunction = (_name, { all }, done) => {
  if (all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};

const ticks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const pem = (name: string): Buffer =>
  readFileSync(join(__dirname, '..', 'fixtures', `${name}.pem`));

/** Connects to a server, and ends with what the server has seen of the client. */
async function meet<S>(server: Server, event: string, create: CreateConnection, options: object) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = create({ port, ...options }, () => undefined);
  const socket = await new Promise<S>((resolve) => server.once(event, resolve));
  client?.destroy();
  await new Promise((resolve) => server.close(resolve));
  return socket;
}

describe('connecting', () => {
  test('to a host, whatever the path of the request is', async () => {
    const options = { host: '127.0.0.1', path: '/no/such/socket' };
    expect(await meet(createServer().unref(), 'connection', connectPlain, options)).toBeDefined();
  });

  test.each([
    [{ host: 'localhost' }, 'localhost', 'http/1.1'],
    [{ host: '127.0.0.1' }, false, 'http/1.1'],
    [{}, false, 'http/1.1'],
    [{ host: '127.0.0.1', servername: 'other.example' }, 'other.example', 'http/1.1'],
    [{ host: '127.0.0.1', ALPNProtocols: ['mine'] }, false, 'mine'],
  ])('with TLS and %j: the server is told %j and %j', async (given, servername, protocol) => {
    const server = createSecureServer({
      cert: pem('server.cert'),
      key: pem('server.key'),
      ALPNProtocols: ['mine', 'http/1.1'],
    });
    const options = { rejectUnauthorized: false, path: '/', lookup, ...given };
    const socket = await meet<TLSSocket>(server, 'secureConnection', connectSecure, options);
    expect([socket.servername, socket.alpnProtocol]).toEqual([servername, protocol]);
  });
});

describe('connectInTurn', () => {
  const socket = new PassThrough();

  test('is the function itself where the turn has come', () => {
    const create: CreateConnection = () => socket;
    expect(connectInTurn(create, secondTurn().first)).toBe(create);
  });

  test('calls it when the turn comes, and hands over what it returns', async () => {
    const { first, turn } = secondTurn();
    const create = jest.fn(() => socket);
    const oncreate = jest.fn();
    expect(connectInTurn(create, turn)({ port: 1 }, oncreate)).toBeUndefined();
    expect(create).not.toHaveBeenCalled();
    first.leave();
    await ticks();
    expect(create.mock.calls).toEqual([[{ port: 1 }, oncreate]]);
    expect(oncreate.mock.calls).toEqual([[null, socket]]);
  });

  test('leaves it to a function that returns nothing to call back', async () => {
    const { first, turn } = secondTurn();
    const oncreate = jest.fn();
    connectInTurn(() => undefined, turn)({}, oncreate);
    first.leave();
    await ticks();
    expect(oncreate).not.toHaveBeenCalled();
  });

  test.each([
    ['an error', new TypeError('no'), new TypeError('no')],
    ['anything else', 'no', new Error('no')],
  ])('hands over %s that it throws', async (_name, thrown, error) => {
    const { first, turn } = secondTurn();
    const oncreate = jest.fn();
    connectInTurn(() => {
      throw thrown;
    }, turn)({}, oncreate);
    first.leave();
    await ticks();
    expect(oncreate.mock.calls).toEqual([[error, undefined]]);
  });
});

describe('agentInTurn', () => {
  class TestAgent extends Agent {
    readonly added: unknown[] = [];
    #name = 'a private field';
    thrown: unknown = undefined;

    get label(): string {
      return this.#name;
    }

    addRequest(request: ClientRequest): void {
      this.added.push(request);
      if (this.thrown !== undefined) throw this.thrown;
    }
  }

  test('is the agent itself where the turn has come, or it adds no requests', () => {
    const agent = new TestAgent();
    expect(agentInTurn(agent, secondTurn().first)).toBe(agent);
    const other = Object.assign(new Agent(), { addRequest: undefined });
    expect(agentInTurn(other, secondTurn().turn)).toBe(other);
  });

  test('is the agent in all but that requests wait for the turn', async () => {
    const { first, turn } = secondTurn();
    const agent = new TestAgent();
    const waiting = agentInTurn(agent, turn) as TestAgent;
    expect([waiting.label, waiting instanceof TestAgent]).toEqual(['a private field', true]);
    const request = new ClientRequest({ agent: waiting, host: '127.0.0.1', port: 1 });
    expect(agent.added).toEqual([]);
    first.leave();
    await ticks();
    expect([agent.added, (request as { agent?: Agent }).agent]).toEqual([[request], agent]);
  });

  test('a request that is destroyed before its turn is not added', async () => {
    const { first, turn } = secondTurn();
    const agent = new TestAgent();
    const request = new ClientRequest({ agent: agentInTurn(agent, turn), host: '127.0.0.1' });
    request.on('error', () => undefined).destroy();
    first.leave();
    await ticks();
    expect(agent.added).toEqual([]);
  });

  test.each([
    [new TypeError('no'), new TypeError('no')],
    ['no', new Error('no')],
  ])('%j that it throws is an error of the request', async (thrown, error) => {
    const { first, turn } = secondTurn();
    const agent = new TestAgent();
    agent.thrown = thrown;
    const request = new ClientRequest({ agent: agentInTurn(agent, turn), host: '127.0.0.1' });
    const heard = new Promise((resolve) => request.on('error', resolve));
    first.leave();
    expect(await heard).toEqual(error);
  });
});

describe('environmentProxyAgent', () => {
  interface Told {
    readonly options: { proxyEnv?: unknown };
  }

  test.each([
    ['http', false, globalAgent],
    ['https', true, secureAgent],
  ] as const)('is the agent of %s, if that has been told of a proxy', (_name, secure, agent) => {
    const { options } = agent as unknown as Told;
    const before = options.proxyEnv;
    try {
      options.proxyEnv = undefined;
      expect(environmentProxyAgent(secure)).toBeUndefined();
      options.proxyEnv = {};
      expect(environmentProxyAgent(secure)).toBe(agent);
    } finally {
      options.proxyEnv = before;
    }
  });
});

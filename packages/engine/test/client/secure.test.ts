import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { createServer } from 'node:tls';
import { eventsOf, once } from '../support/client-events';
import type { WsClient } from '../support/clients';
import { clientLibraries } from '../support/clients';
import type { Answer } from '../support/raw-server';
import { RawServer } from '../support/raw-server';

const pem = (name: string): Buffer =>
  readFileSync(join(__dirname, '..', 'fixtures', `${name}.pem`));

const CA = pem('authority.cert');

function identity(name: string): { cert: Buffer; key: Buffer } {
  return { cert: pem(`${name}.cert`), key: pem(`${name}.key`) };
}

let server: RawServer;

async function listen(name: string, options: TlsOptions = {}, answer?: Answer): Promise<RawServer> {
  server = await RawServer.listen(answer ?? ((request) => request.upgrade()), (onSocket) =>
    createServer({ ...identity(name), ...options }, onSocket)
      // What a refused handshake looks like from here is the client's to tell.
      .on('tlsClientError', () => undefined),
  );
  return server;
}

afterEach(() => server.close());

describe.each(clientLibraries)('a secure client of $name', ({ WebSocket }) => {
  const at = (host: string): string => `wss://${host}:${server.port}/`;

  /** The code of the error that a client fails with; `open` if it does not. */
  async function outcome(client: WsClient): Promise<unknown> {
    const failed = once<Error & { code?: string }>(client, 'error');
    const result = await Promise.race([once(client, 'open').then(() => 'open'), failed]);
    client.on('error', () => undefined);
    client.terminate();
    return typeof result === 'string' ? result : result.code;
  }

  test.each(['localhost', '127.0.0.1'])('connects to %s', async (host) => {
    await listen('server');
    const client = new WebSocket(at(host), { ca: CA });
    await once(client, 'open');
    expect(client.url).toBe(at(host));
    client.terminate();
  });

  test('takes https: for wss:', async () => {
    await listen('server');
    const client = new WebSocket(at('localhost').replace('wss', 'https'), { ca: CA });
    expect(client.url).toBe(at('localhost'));
    expect(await outcome(client)).toBe('open');
  });

  // T13
  test.each([
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['other-host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('refuses a certificate that is %s', async (name, code) => {
    await listen(name);
    expect(await outcome(new WebSocket(at('localhost'), { ca: CA }))).toBe(code);
    expect(await outcome(new WebSocket(at('127.0.0.1'), { ca: CA }))).toBe(code);
    const trusting = { ca: CA, rejectUnauthorized: false };
    expect(await outcome(new WebSocket(at('localhost'), trusting))).toBe('open');
  });

  test('refuses an authority it was not told of', async () => {
    await listen('server');
    expect(await outcome(new WebSocket(at('localhost')))).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('shows a certificate of its own', async () => {
    await listen('server', { requestCert: true, ca: CA }, (request) => request.upgrade());
    const client = new WebSocket(at('localhost'), { ca: CA, ...identity('client') });
    await once(client, 'open');
    // The servers of this file are TLS servers.
    const { authorized } = server.sockets[0] as TLSSocket;
    const shown = (server.sockets[0] as TLSSocket).getPeerCertificate();
    expect([authorized, shown.subject.CN]).toEqual([true, 'upwire-client']);
    client.terminate();
  });

  test('fails where a certificate is demanded that it has not', async () => {
    await listen('server', { requestCert: true, ca: CA, maxVersion: 'TLSv1.2' });
    const client = new WebSocket(at('localhost'), { ca: CA });
    const [error, close] = await eventsOf(client);
    expect([error[0], close]).toEqual(['error', ['close', 3, '1006 ']]);
    expect(server.requests).toHaveLength(0);
  });

  // RFC 6455 4.1 (5)
  test.each([
    ['localhost', {}, 'localhost'],
    ['127.0.0.1', {}, false],
    ['localhost', { servername: 'other.example' }, 'other.example'],
    ['localhost', { servername: '' }, false],
  ])('names %s with %p to the server as %p', async (host, options, expected) => {
    await listen('server');
    const client = new WebSocket(at(host), { ca: CA, rejectUnauthorized: false, ...options });
    await once(client, 'open');
    expect((server.sockets[0] as TLSSocket).servername).toBe(expected);
    client.terminate();
  });

  test.each(['keeps', 'drops'])(
    '%s credentials where a redirect keeps or drops TLS',
    async (what) => {
      const plain = await RawServer.listen((request) => request.upgrade());
      await listen('server', {}, (request, index) => {
        const location = what === 'keeps' ? '/b' : plain.url.replace('127.0.0.1', 'localhost');
        if (index === 0) request.refuse('302 Found', `Location: ${location}`);
        else request.upgrade();
      });
      const client = new WebSocket(at('localhost'), {
        ca: CA,
        followRedirects: true,
        headers: { Cookie: 'a=b' },
      });
      await once(client, 'open');
      client.terminate();
      const last = what === 'keeps' ? server.requests[1] : plain.requests[0];
      expect(last.headers.get('cookie')).toBe(what === 'keeps' ? 'a=b' : undefined);
      await plain.close();
    },
  );
});

test.each<[string, object, string | false, string | false]>([
  ['HTTP/1.1', {}, false, 'http/1.1'],
  ['what it is told', { ALPNProtocols: ['mine'] }, 'mine', 'mine'],
])('by ALPN a client offers %s', async (_name, options, theirs, ours) => {
  await listen('server', { ALPNProtocols: ['h2', 'mine', 'http/1.1'] });
  for (const { name, WebSocket } of clientLibraries) {
    const address = `wss://localhost:${server.port}/`;
    const client = new WebSocket(address, { ca: CA, ...options });
    await once(client, 'open');
    const { alpnProtocol } = server.sockets.at(-1) as TLSSocket;
    expect([name, alpnProtocol]).toEqual([name, name === 'ws' ? theirs : ours]);
    client.terminate();
  }
});

test('the default port of wss: is 443 and left out of Host', async () => {
  await listen('server');
  for (const { WebSocket } of clientLibraries) {
    const { connect } = await import('node:tls');
    const client = new WebSocket('wss://localhost/', {
      createConnection: () =>
        connect({ port: server.port, host: '127.0.0.1', ca: CA, servername: 'localhost' }),
    });
    await once(client, 'open');
    expect(server.requests.at(-1)?.headers.get('host')).toBe('localhost');
    client.terminate();
  }
});

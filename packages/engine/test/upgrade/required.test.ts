import { answerUpgradeRequired } from '../../src/upgrade/required';
import { answerOf, cleanUp, connect, openSite } from '../support/site';

afterEach(cleanUp);

const BODY = 'This is a WebSocket endpoint: connect to it with a WebSocket client.\n';

describe('answerUpgradeRequired', () => {
  test('answers 426 and names the protocol', async () => {
    const { port } = await openSite((_request, response) => answerUpgradeRequired(response));
    const client = await connect(port);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

    const { status, headers, body } = await answerOf(client);

    expect(status).toBe(426);
    expect(headers).toMatchObject({
      upgrade: 'websocket',
      connection: 'close, Upgrade',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(BODY.length),
    });
    expect(body).toBe(BODY);
  });

  test('has no body for HEAD', async () => {
    const { port } = await openSite((_request, response) => answerUpgradeRequired(response));
    const client = await connect(port);
    client.write('HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

    const { status, body } = await answerOf(client);

    expect([status, body]).toEqual([426, '']);
  });

  test('leaves the connection to further requests', async () => {
    const { port } = await openSite((_request, response) => answerUpgradeRequired(response));
    const client = await connect(port);
    const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
    client.write(get, get, 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

    const bytes = (await client.rest()).toString('latin1');

    expect(bytes.match(/^(HTTP|Connection).*$/gm)).toEqual([
      'HTTP/1.1 426 Upgrade Required',
      'Connection: Upgrade',
      'HTTP/1.1 426 Upgrade Required',
      'Connection: Upgrade',
      'HTTP/1.1 426 Upgrade Required',
      'Connection: close, Upgrade',
    ]);
  });

  test('takes back what middleware has said of another body', async () => {
    const { port } = await openSite((_request, response) => {
      response.setHeader('Content-Encoding', 'gzip');
      response.setHeader('Trailer', 'Expires');
      response.setHeader('Content-Length', 2);
      answerUpgradeRequired(response);
    });
    const client = await connect(port);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

    const { headers, body } = await answerOf(client);

    expect(body).toBe(BODY);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('trailer');
  });
});

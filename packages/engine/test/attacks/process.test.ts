// T8: nothing that a peer sends ends the process of an application that listens to no 'error'.
import { runChild } from '../support/child';

/** The same pseudo-random numbers on every run; a failure names the seed. */
const RANDOM = `
  function random(seed) {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }
  function noise(next, length) {
    return Buffer.from(Array.from({ length }, () => next(256)));
  }
  /** Mostly frames, with anything in their payload; some are cut short or have a bit that is wrong. */
  function frame(next, masked) {
    const spec = {
      opcode: [0, 1, 2, 8, 9, 10, next(16)][next(7)],
      fin: next(4) > 0,
      rsv: next(6) === 0 ? next(8) : next(3) === 0 ? 4 : 0,
      payload: noise(next, next(3) === 0 ? next(2000) : next(20)),
      key: masked !== (next(20) === 0) ? next(2 ** 32) : undefined,
    };
    const bytes = frames.frame(spec);
    return next(10) === 0 ? bytes.subarray(0, next(bytes.length)) : bytes;
  }
`;

const ROUNDS = 300;

test('a server', async () => {
  const { exit, stdout, stderr } = await runChild(`
    ${RANDOM}
    const options = { port: 0, host: '127.0.0.1', perMessageDeflate: true, closeTimeout: 50, maxPayload: 1e6 };
    const server = new upwire.WebSocketServer(options, async () => {
      const { port } = server.address();
      for (let seed = 1; seed <= ${ROUNDS}; seed++) {
        const next = random(seed);
        const client = await raw.RawClient.connect(port);
        const text = raw.request({ 'Sec-WebSocket-Extensions': 'permessage-deflate', 'Sec-WebSocket-Protocol': 'a' });
        if (next(4) === 0) {
          // A handshake with something wrong somewhere.
          const bytes = Buffer.from(text);
          for (let count = next(6); count >= 0; count--) bytes[next(bytes.length)] = next(256);
          client.write(bytes);
        } else client.write(text);
        for (let count = next(12); count > 0; count--) client.write(frame(next, true));
        if (next(3) === 0) client.write(noise(next, next(500)));
        if (next(2) === 0) client.reset();
        else client.end();
        await client.closed;
      }
      const last = await raw.RawClient.open(port);
      last.write(frames.frame({ opcode: 9, payload: 'alive', key: 1 }));
      console.log((await last.frame()).payload.toString());
      last.end();
      server.close();
    });
  `);
  expect({ exit, stdout, stderr }).toEqual({ exit: 0, stdout: 'alive\n', stderr: '' });
});

test('a client whose connection is open', async () => {
  const { exit, stdout, stderr } = await runChild(`
    ${RANDOM}
    const { createHash } = require('node:crypto');
    let next;
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (request) => {
        const key = /^sec-websocket-key: (.*)$/im.exec(request.toString())[1].trim();
        const accept = createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
        socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n' +
          'Sec-WebSocket-Extensions: permessage-deflate\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
        for (let count = next(12); count > 0; count--) socket.write(frame(next, false));
        if (next(3) === 0) socket.write(noise(next, next(500)));
        if (next(2) === 0) socket.resetAndDestroy();
        else socket.end();
      });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    let closed = 0;
    let failed = 0;
    for (let seed = 1; seed <= ${ROUNDS}; seed++) {
      next = random(seed);
      const client = new upwire.WebSocket('ws://127.0.0.1:' + server.address().port, { closeTimeout: 50, maxPayload: 1e6 });
      // What goes wrong before the connection is open is for the caller to hear.
      const early = () => failed++;
      client.on('error', early);
      client.on('open', () => client.off('error', early));
      await new Promise((resolve) => client.on('close', resolve));
      closed++;
    }
    console.log('closed', closed, failed < closed / 2);
    server.close();
  `);
  expect({ exit, stdout, stderr }).toEqual({
    exit: 0,
    stdout: `closed ${ROUNDS} true\n`,
    stderr: '',
  });
});

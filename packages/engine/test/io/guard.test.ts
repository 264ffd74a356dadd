import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { guard } from '../../src/io/guard';

function createSocket(): Duplex {
  return new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
}

describe('guard()', () => {
  test('makes an end of an error that nobody hears', async () => {
    const socket = createSocket();
    guard(socket);
    socket.emit('error', new Error('read ECONNRESET'));
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });

  test('is there once, however often it is asked for', () => {
    const socket = createSocket();
    for (let time = 0; time < 3; time++) guard(socket);
    expect(socket.listenerCount('error')).toBe(1);
  });

  test('comes back where somebody has taken all listeners off', () => {
    const socket = createSocket();
    guard(socket);
    socket.removeAllListeners('error');
    guard(socket);
    expect(socket.listenerCount('error')).toBe(1);
  });
});

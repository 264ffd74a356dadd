import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { endLingering } from '../../src/io/linger';
import { pattern } from '../support/bytes';
import { socketPair } from '../support/sockets';
import { useFakeTimeouts } from '../support/timeouts';

afterEach(() => {
  jest.useRealTimers();
});

async function everything(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('endLingering', () => {
  test('sends the last bytes and then the end', async () => {
    const { ours, theirs } = await socketPair();

    ours.write('first ');
    endLingering(ours, Buffer.from('last'));

    expect((await everything(theirs)).toString()).toBe('first last');
    theirs.end();
    await once(ours, 'close');
  });

  test('ends without last bytes', async () => {
    const { ours, theirs } = await socketPair();

    endLingering(ours);

    expect(await everything(theirs)).toEqual(Buffer.alloc(0));
    theirs.end();
    await once(ours, 'close');
  });

  test('reads and drops what the peer still sends, so that no reset overtakes the answer', async () => {
    const { ours, theirs } = await socketPair();
    const answer = pattern(300_000);
    const errors: Error[] = [];
    theirs.on('error', (error) => errors.push(error));
    const closed = once(ours, 'close');

    theirs.write(pattern(500_000));
    await once(ours, 'readable');
    endLingering(ours, answer);
    theirs.end(pattern(500_000));

    expect((await everything(theirs)).equals(answer)).toBe(true);
    await closed;
    expect(errors).toEqual([]);
    expect(ours.bytesRead).toBe(1_000_000);
  });

  test('destroys the socket of a peer that does not close its side in 2 seconds', async () => {
    const { ours, theirs } = await socketPair();
    useFakeTimeouts();

    endLingering(ours, Buffer.from('bye'));
    await everything(theirs);
    jest.advanceTimersByTime(1_999);
    expect(ours.destroyed).toBe(false);
    jest.advanceTimersByTime(1);

    expect(ours.destroyed).toBe(true);
    theirs.destroy();
  });

  test('leaves no timer behind', async () => {
    const { ours, theirs } = await socketPair();
    useFakeTimeouts();

    endLingering(ours, Buffer.from('bye'));
    expect(jest.getTimerCount()).toBe(1);
    await everything(theirs);
    theirs.end();
    await once(ours, 'close');

    expect(jest.getTimerCount()).toBe(0);
  });

  test('leaves no timer behind when the peer resets the connection', async () => {
    const { ours, theirs } = await socketPair();
    useFakeTimeouts();
    ours.on('error', () => undefined);

    endLingering(ours, Buffer.from('bye'));
    theirs.resetAndDestroy();
    await new Promise((resolve) => ours.once('close', resolve));

    expect(jest.getTimerCount()).toBe(0);
  });

  test('takes any duplex stream', async () => {
    const stream = new PassThrough();
    endLingering(stream, Buffer.from('bye'));
    await once(stream, 'close');
    expect(stream.destroyed).toBe(true);
  });
});

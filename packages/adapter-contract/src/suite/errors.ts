import type { WebSocket } from '@upwire/engine/internal';
import { masked } from '../../../engine/test/support/site';
import { dial, enterAt, framesBehind101, open } from '../client';
import type { Application, Harness, SiteOptions } from '../harness';
import { openSite, until } from '../site';

const BOOM = new Error('boom');

function boom(): never {
  throw BOOM;
}

async function later(): Promise<never> {
  await new Promise(setImmediate);
  throw BOOM;
}

/** Handlers that fail when a message comes, or before. */
const FAULTS: Record<string, (webSocket: WebSocket) => unknown> = {
  'a handler that throws': boom,
  'a handler that rejects': later,
  'a listener that throws': (webSocket) => webSocket.on('message', boom),
  'a listener that rejects': (webSocket) => webSocket.on('message', later),
  'a listener for one message that throws': (webSocket) => webSocket.once('message', boom),
  'a late listener that throws': async (webSocket) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    webSocket.on('message', boom);
  },
  'a handler that has sent and then throws': (webSocket) => {
    webSocket.send('before');
    boom();
  },
};

const ONLY_1011 = ['88 03f3'];

/** Errors of the application and of peers: whose they are, who is told, and who goes on. */
export function errors<App extends Application>(harness: Harness<App>): void {
  const openFaulty = (fault: (webSocket: WebSocket) => unknown, options?: SiteOptions) =>
    openSite(
      harness,
      (app) => {
        app.ws('/echo', (webSocket) =>
          webSocket.on('message', (text) => webSocket.send(`got ${text}`)),
        );
        app.ws('/faulty', fault);
        app.page('GET', '/page', (context) => context.answer(200, 'page'));
      },
      options,
    );

  describe.each(Object.entries(FAULTS))('%s', (what, fault) => {
    const expected = what.includes('has sent')
      ? [`81 ${Buffer.from('before').toString('hex')}`, ...ONLY_1011]
      : ONLY_1011;

    test('is 1011 and nothing else; the framework is told once; everyone else goes on', async () => {
      const { address, errors: told, log } = await openFaulty(fault);
      const other = await open(address, '/echo');

      expect(await framesBehind101(address, '/faulty')).toEqual(expected);

      expect(told).toEqual([BOOM]);
      expect(await other.ask('still there')).toBe('got still there');
      expect(await (await open(address, '/echo')).ask('hi')).toBe('got hi');
      await until(() => log.length >= 3);
      expect(log).toEqual(['GET /echo 101', 'GET /faulty 101', 'GET /echo 101']);
    });

    test('is 1011; with the option onError, only that is told, once', async () => {
      const seen: unknown[] = [];
      const site = await openFaulty(fault, {
        onError: (error, webSocket) => seen.push([error, webSocket.readyState]),
      });

      expect(await framesBehind101(site.address, '/faulty')).toEqual(expected);

      expect(seen).toEqual([[BOOM, 2]]);
      expect(site.errors).toEqual([]);
    });
  });

  test.each([undefined, null, 0, '', 'text'])(
    'a handler that rejects with %p has failed, too',
    async (value) => {
      const site = await openFaulty(() => Promise.reject(value));
      expect(await framesBehind101(site.address, '/faulty')).toEqual(ONLY_1011);
      expect(site.errors).toHaveLength(1);
    },
  );

  test('a listener that fails again and again is reported once for each client', async () => {
    const site = await openFaulty((webSocket) => webSocket.on('message', boom));
    for (let count = 1; count <= 3; count++) {
      const client = await enterAt(site.address, '/faulty');
      const hi = masked({ opcode: 1, payload: 'hi' });
      client.write(hi, hi, hi);
      expect((await client.frame())?.payload.toString('hex')).toBe('03f3');
      client.socket.destroy();
      expect(site.errors).toHaveLength(count);
    }
  });

  test('an onError that throws itself ends nothing', async () => {
    const warnings: unknown[] = [];
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation((warning) => {
      warnings.push(warning);
    });
    try {
      const { address } = await openFaulty(boom, { onError: () => fail('second') });
      const other = await open(address, '/echo');
      expect(await framesBehind101(address, '/faulty')).toEqual(ONLY_1011);
      expect(await other.ask('still there')).toBe('got still there');
      expect(warnings).toEqual([new Error('second')]);
    } finally {
      warn.mockRestore();
    }
  });

  test('a listener that fails when its WebSocket has closed is reported', async () => {
    const site = await openFaulty((webSocket) => webSocket.on('close', boom));
    const client = await open(site.address, '/faulty');
    client.webSocket.close(1000);
    expect(await client.closed).toEqual([1000, '']);
    await until(() => site.errors.length > 0);
    expect(site.errors).toEqual([BOOM]);
  });

  test.each<[string, Buffer, string]>([
    ['a frame without a mask', Buffer.from([0x81, 0x01, 0x61]), '03ea'],
    ['text that is not UTF-8', masked({ opcode: 1, payload: Buffer.from([0xff]) }), '03ef'],
    ['an unknown opcode', masked({ opcode: 3 }), '03ea'],
  ])('a client that sends %s is told so, and nobody else is hurt', async (_what, bytes, code) => {
    const site = await openFaulty(() => undefined);
    const other = await open(site.address, '/echo');
    const client = await enterAt(site.address, '/faulty');
    client.write(bytes);
    expect((await client.frame())?.payload.subarray(0, 2).toString('hex')).toBe(code);
    client.socket.destroy();
    expect(await other.ask('still there')).toBe('got still there');
    expect(site.errors).toEqual([]);
  });

  test.each<[string, () => boolean | Promise<boolean>]>([
    ['throws', boom],
    ['rejects', later],
  ])(
    'an option origins that %s is an error of the application, answered as any',
    async (_how, origins) => {
      const site = await openFaulty(() => undefined, { upwire: { origins } });
      const { status, body } = await dial(site.address, '/echo', { origin: 'http://a.example' });
      expect(status).toBe(500);
      expect(body).toMatch(harness.facts.errorPage(500, 'boom'));
      expect(site.errors).toEqual([BOOM]);
    },
  );
}

function fail(message: string): never {
  throw new Error(message);
}

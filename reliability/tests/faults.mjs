// What peers and handlers do wrong.
import { Client } from '../client/client.mjs';
import { CLOSE, closing, frame, PING, TEXT, text } from '../client/frames.mjs';
import { mebibytes, outcome } from './outcome.mjs';

const bad = {
  'reserved bits': [frame({ opcode: TEXT, rsv: 2, payload: 'x' }), 1002],
  'no mask': [frame({ opcode: TEXT, masked: false, payload: 'x' }), 1002],
  'an unknown opcode': [frame({ opcode: 3 }), 1002],
  'half a ping': [frame({ opcode: PING, fin: false }), 1002],
  'a long ping': [frame({ opcode: PING, payload: 'x'.repeat(126) }), 1002],
  'a continuation of nothing': [frame({ opcode: 0, payload: 'x' }), 1002],
  'a close code that is none': [closing(1005), 1002],
  'a close of one byte': [frame({ opcode: CLOSE, payload: 'x' }), 1002],
  'bad UTF-8': [frame({ opcode: TEXT, payload: Buffer.from([0xc3, 0x28]) }), 1007],
};

async function badFrames(context) {
  for (const [what, [bytes, code]] of Object.entries(bad)) {
    const server = await context.server();
    const other = await Client.open(server.address, '/echo');
    const client = await Client.open(server.address, '/echo');
    client.write(bytes);
    const came = await client.closeCode(2_000);
    client.destroy();
    if (!(await server.alive())) return outcome(false, `DEAD of ${what}`);
    other.write(text('still there'));
    const answer = await other.frame(2_000);
    other.destroy();
    if (came !== code || answer === undefined)
      return outcome(false, `alive; ${what}: ${came || 'left open'}`);
  }
  return outcome(true, `alive, 1002 or 1007 for all ${Object.keys(bad).length}`);
}

/** How a client with a handler that fails gets on: what it is sent, as a word. */
async function fateOf(server, path) {
  const client = await Client.open(server.address, path);
  client.write(text('hi'));
  const bytes = await client.rest(600);
  const open = !client.over;
  client.write(closing(1011));
  const ended = await client.ends(400);
  client.destroy();
  if (!(await server.alive())) return 'DEAD';
  if (bytes.includes('HTTP/1.1'))
    return `${/HTTP\/1\.1 \d+/.exec(bytes.toString('latin1'))} in the stream`;
  if (bytes.equals(Buffer.from([0x88, 2, 0x03, 0xf3]))) return ended ? '1011' : '1011, left open';
  if (bytes[0] === 0x88) return bytes[1] < 2 ? '1005' : String(bytes.readUInt16BE(2));
  return open ? 'left open' : 'cut';
}

async function failingHandlers(context) {
  const fates = [];
  for (const [what, path] of [
    ['throws', '/throws'],
    ['rejects', '/rejects'],
    ['a listener throws', '/listener'],
  ]) {
    const server = await context.server();
    fates.push([what, await fateOf(server, path)]);
  }
  return outcome(
    fates.every(([, fate]) => fate === '1011'),
    fates.map(([what, fate]) => `${what}: ${fate}`).join('; '),
  );
}

const lengths = { '2^31': 2n ** 31n, '2^53': 2n ** 53n, '2^63': 2n ** 63n };

async function announced(context) {
  const server = await context.server({ careful: true });
  // A process that is young grows by some 20 MiB on its own.
  const allocates = context.size({ quick: 64, full: 16 });
  const figures = [];
  let passed = true;
  for (const [what, announce] of Object.entries(lengths)) {
    const client = await Client.open(server.address, '/echo');
    await server.call('watchMemory');
    client.write(frame({ opcode: 2, announce }));
    const code = await client.closeCode(2_000);
    const before = await server.call('memory');
    const grown = (await server.call('mostMemory')) - before.rss;
    client.destroy();
    if (!(await server.alive())) return outcome(false, `DEAD of ${what}`);
    const allocated = grown > allocates * 1024 ** 2;
    if (![1009, 1002].includes(code) || allocated) passed = false;
    figures.push(`${what}: ${code || 'waits for it'}${allocated ? `, +${mebibytes(grown)}` : ''}`);
  }
  return outcome(passed, figures.join('; '));
}

async function states(context) {
  const server = await context.server();
  const client = await Client.open(server.address, '/states');
  const code = await client.closeCode(2_000);
  client.write(closing(code));
  await client.ends(2_000);
  let results;
  for (let turn = 0; turn < 50 && results === undefined; turn++) {
    results = await server.call('states');
    if (results === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const alive = await server.alive();
  const threw = Object.keys(results ?? {}).filter((name) => results[name] === 'threw');
  const silent = ['send, closing', 'send, closed', 'ping, closing', 'ping, closed'].filter(
    (name) => results?.[name] !== 'error',
  );
  const told = Object.keys(results ?? {}).length;
  return outcome(
    alive && told > 0 && threw.length === 0 && silent.length === 0,
    alive
      ? `${told} calls, ${threw.length} thrown, ${silent.length} without an error to the callback`
      : 'DEAD',
  );
}

export const tests = [
  {
    id: 'F6',
    title: 'frames that announce 2^31, 2^53 and 2^63 bytes',
    pass: 'refused at the header, nothing allocated',
    run: announced,
  },
  {
    id: 'F7',
    title: 'bad frames where nobody listens to errors',
    pass: 'process alive, that one closed with 1002 or 1007',
    run: badFrames,
  },
  {
    id: 'F8',
    title: 'a handler throws, rejects, its listener throws',
    // Listeners of the engine are those of an EventEmitter, as they are with ws.
    must: ({ framework }) => framework,
    pass: 'alive, the client gets 1011, nothing but frames behind the 101',
    run: failingHandlers,
  },
  {
    id: 'L7',
    title: 'send, ping, close and pause in every state',
    pass: 'never throws; callbacks are told',
    run: states,
  },
];

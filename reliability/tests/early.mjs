// What comes before a handshake, with it, and in pieces.
import { Client } from '../client/client.mjs';
import { closing, text } from '../client/frames.mjs';
import { handshake } from '../client/handshake.mjs';
import { list, outcome } from './outcome.mjs';

const page = 'GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** What came back, in short. */
function orderOf(bytes) {
  const answers = [...bytes.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3})/g)];
  return answers.map(([, status]) => status);
}

async function answersTo(address, ...parts) {
  const client = await Client.connect(address);
  client.write(...parts);
  const bytes = await client.rest(700);
  client.destroy();
  return orderOf(bytes);
}

async function pipelined(context) {
  const { address } = await context.server();
  const request = handshake('/echo');
  const behind = await answersTo(address, page, request, text('hi'));
  const double = await answersTo(address, request, request);
  // Answered in their order, or refused; and behind the 101 nothing that is HTTP.
  const fine = (order) => !order.includes('101') || order.indexOf('101') === order.length - 1;
  const answered = behind[0] !== '101';
  const show = (order) => (order.length === 0 ? 'no answer' : order.join(' then '));
  return outcome(
    fine(behind) && answered && fine(double),
    `page and upgrade: ${show(behind)}${behind.join() === '101' ? ', the page unanswered' : ''}; two upgrades: ${show(double)}`,
  );
}

async function echoesOf(address, path, count) {
  const client = await Client.connect(address);
  const texts = Array.from({ length: count }, (_, index) => `number ${index}`);
  client.write(handshake(path), ...texts.map(text));
  const came = [];
  if ((await client.status(3_000)) === 101) {
    while (came.length < count) {
      const frame = await client.frame(1_000);
      if (frame === undefined) break;
      came.push(frame.payload.toString());
    }
  }
  client.destroy();
  return came.every((it, index) => it === texts[index]) ? came.length : -1;
}

const counts = [1, 2, 10, 100];

export async function together(context, settings = {}) {
  const { address } = await context.server(settings);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const figures = [];
  let passed = true;
  for (const [what, path] of [
    ['at once', '/echo'],
    ['guard of 250 ms', '/slow'],
  ]) {
    const came = await Promise.all(counts.map((count) => echoesOf(address, path, count)));
    const delivered = came.reduce((sum, count) => sum + Math.max(0, count), 0);
    const ordered = !came.includes(-1);
    if (delivered !== all || !ordered) passed = false;
    figures.push(`${what}: ${delivered} of ${all}${ordered ? '' : ', out of order'}`);
  }
  return outcome(passed, figures.join('; '));
}

const exchange = Buffer.concat([
  Buffer.from(handshake('/echo', { 'User-Agent': 'x'.repeat(40) })),
  text('one'),
  text('two'),
  closing(4001),
]);

async function transcript(address, cut) {
  const client = await Client.connect(address, { noDelay: true });
  client.write(exchange.subarray(0, cut));
  await new Promise(setImmediate);
  client.write(exchange.subarray(cut));
  await client.head(3_000);
  const frames = [];
  for (let next = await client.frame(3_000); next !== undefined; next = await client.frame(500)) {
    frames.push(`${next.first.toString(16)} ${next.payload.toString('hex')}`);
    if (next.first === 0x88) client.end();
  }
  client.destroy();
  return frames.join();
}

async function split(context) {
  const { address } = await context.server();
  const whole = await transcript(address, 0);
  const expected = ['81 6f6e65', '81 74776f', '88 0fa1'].join();
  const places = Array.from({ length: exchange.length - 1 }, (_, index) => index + 1);
  const wrong = [];
  for (let start = 0; start < places.length; start += 40) {
    const batch = places.slice(start, start + 40);
    const all = await Promise.all(batch.map((cut) => transcript(address, cut)));
    wrong.push(...batch.filter((_, index) => all[index] !== whole));
  }
  return outcome(
    wrong.length === 0 && whole === expected,
    `${places.length - wrong.length} of ${places.length} places alike${wrong.length > 0 ? `, not at ${list(wrong)}` : ''}${whole === expected ? '' : ', and not as they should be'}`,
  );
}

export const tests = [
  {
    id: 'H4',
    title: 'a page and a handshake in one segment; two handshakes',
    pass: 'answers in order or a refusal, no HTTP behind the 101',
    run: pipelined,
  },
  {
    id: 'H5',
    title: 'a handshake with 1 to 100 frames in one segment',
    pass: 'all delivered in order, behind a guard of 250 ms too',
    run: together,
  },
  {
    id: 'H6',
    title: `an exchange of ${exchange.length} bytes, cut at every place`,
    pass: 'the same transcript everywhere',
    // The adapters' contract cuts one of its own.
    quick: ({ framework }) => !framework,
    run: split,
  },
];

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Everything is run for a moment and nothing is timed: what is looked at is that each scenario works for each peer that
// needs no download, and that exactly the bytes came back that RFC 6455 says.

const root = join(__dirname, '..', '..');

interface Run {
  readonly messages: number;
  readonly bytes: number;
  readonly figures: Record<string, number>;
}

interface Cell {
  readonly median: number;
  readonly ratio?: number;
}

interface Column {
  readonly cells: Record<string, Cell>;
  readonly failure?: string;
}

interface Row {
  readonly name: string;
  readonly figures: string[];
  readonly runs: Record<string, Run[]>;
  readonly columns: Record<string, Column>;
}

interface Result {
  readonly missing: { what: string; reason: string }[];
  readonly scenarios: Row[];
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'bench', 'run.mjs'), ...args], { cwd: root });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString();
      resolve({ code, stdout: text(out), stderr: text(err) });
    });
  });
}

const plain = ['ws', 'upwire', 'net'];
const compressing = ['ws', 'upwire'];

/** Whether it is there to be measured: adapters that are not built yet are left out. */
const isBuilt = (folder: string): boolean =>
  existsSync(join(root, 'packages', folder, 'dist', 'index.js'));

/** Bytes that come back for one message from a server with a parser, and from one without, which leaves masks on. */
interface Expected {
  readonly parsed: number;
  readonly bare?: number;
  readonly peers?: string[];
}

/** Header lengths are those of RFC 6455 5.2: 2, 4 or 10, and 4 of the masking key. */
const exact: Record<string, Expected> = {
  'echo-64-single': { parsed: 2 + 64, bare: 6 + 64 },
  'echo-64-deep': { parsed: 2 + 64, bare: 6 + 64 },
  'echo-1k-deep': { parsed: 4 + 1024, bare: 8 + 1024 },
  'echo-1k-narrow': { parsed: 4 + 1024, bare: 8 + 1024 },
  'echo-1k-widest': { parsed: 4 + 1024, bare: 8 + 1024 },
  'echo-100m': { parsed: 10 + 104_857_600, bare: 14 + 104_857_600 },
  'echo-1k-wide': { parsed: 4 + 1024, bare: 8 + 1024 },
  'echo-16k': { parsed: 4 + 16_384, bare: 8 + 16_384 },
  'echo-1m': { parsed: 10 + 1_048_576, bare: 14 + 1_048_576 },
  // Four bytes for four batches of as many frames as 64 KiB hold.
  'receive-64': { parsed: 4 / (4 * 936) },
  'receive-1k-ascii': { parsed: 4 / (4 * 63) },
  'receive-1k-cjk': { parsed: 4 / (4 * 63) },
  'receive-64k': { parsed: 4 / 4 },
  'send-64': { parsed: 2 + 64 },
  'send-16k': { parsed: 4 + 16_384 },
  'broadcast-128': { parsed: 4 + 128 },
  'broadcast-loop': { parsed: 4 + 128 },
  'broadcast-burst': { parsed: 4 + 128 },
  'broadcast-16k': { parsed: 4 + 16_384 },
  'handshake-bare': { parsed: 4 },
  // The greeting and the close frame.
  'handshake-express': { parsed: 2 + 9 + 4, peers: ['upwire'] },
  'adapter-express': { parsed: 2 + 64, peers: ['upwire'] },
  'handshake-fastify': { parsed: 2 + 9 + 4, peers: ['upwire'] },
  'adapter-fastify': { parsed: 2 + 64, peers: ['upwire'] },
  'handshake-koa': { parsed: 2 + 9 + 4, peers: ['upwire'] },
  'adapter-koa': { parsed: 2 + 64, peers: ['upwire'] },
  // Clients count what their API shows: the payload.
  'client-echo-64': { parsed: 64, bare: 2 + 64 },
  'client-echo-16k': { parsed: 16_384, bare: 4 + 16_384 },
  latency: { parsed: 2 + 64, bare: 6 + 64 },
  'memory-idle': { parsed: 0 },
  'memory-echo': { parsed: 0 },
  'memory-deflate': { parsed: 0, peers: compressing },
  'memory-tls': { parsed: 0 },
};

/** Scenarios whose answers are as long as the server compresses them, with the length of the message. */
const compressed: Record<string, number> = {
  'deflate-echo-1k': 1024,
  'deflate-echo-64k': 65_536,
  'deflate-broadcast': 1024,
  'delay-deflate-8k': 8192,
  'delay-deflate-64k': 65_536,
};

const adapterOf = (name: string): string | undefined =>
  /^(?:handshake|adapter)-(express|fastify|koa)$/.exec(name)?.[1];

let folder: string;
let smoke: Ended;
let result: Result;

const readResult = (name: string): Result =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result;

function rowOf(name: string, { scenarios }: Result = result): Row {
  const row = scenarios.find((one) => one.name === name);
  if (row === undefined) throw new Error(`${name} was not run`);
  return row;
}

/** The lines of a scenario in the printed table. */
function printed(name: string, figures: number, { stdout }: Ended = smoke): string[] {
  const lines = stdout.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`${name} `));
  return lines.slice(at, at + 1 + figures);
}

/** The one run of each peer, when it is sure that it went well and that its figures are in the table. */
function runsOf(name: string, peers: readonly string[]): Map<string, Run> {
  const row = rowOf(name);
  expect(Object.keys(row.columns)).toEqual(peers);
  const lines = printed(name, row.figures.length);
  for (const line of lines.slice(1))
    expect(line.match(/ (?:µs|ms|KiB|[kM]?\/s)/g)).toHaveLength(peers.length);
  return new Map(
    peers.map((peer) => {
      expect(row.columns[peer].failure).toBeUndefined();
      expect(row.runs[peer]).toHaveLength(1);
      const [run] = row.runs[peer];
      expect(Object.keys(run.figures)).toEqual(row.figures);
      expect(Object.values(run.figures).every(Number.isFinite)).toBe(true);
      expect(run.messages).toBeGreaterThan(0);
      return [peer, run];
    }),
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upwire-bench-'));
  smoke = await bench('--smoke', '--peers', plain.join(), '--json', join(folder, 'smoke.json'));
  if (!existsSync(join(folder, 'smoke.json'))) throw new Error(smoke.stdout + smoke.stderr);
  result = readResult('smoke.json');
}, 900_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every scenario is known here, and nothing failed', async () => {
  const { stdout } = await bench('--list');
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0]);
  expect(names.sort()).toEqual([...Object.keys(exact), ...Object.keys(compressed)].sort());
  expect(smoke.stdout).not.toContain('ailed');
  expect(smoke.code).toBe(0);
});

test.each(Object.keys(exact))('%s: every peer sends back exactly what it should', (name) => {
  const { parsed, bare = parsed, peers = plain } = exact[name];
  const adapter = adapterOf(name);
  if (adapter !== undefined && !isBuilt(adapter)) {
    expect(result.missing).toContainEqual({
      what: `@upwire/${adapter}`,
      reason: 'it is not built',
    });
    expect(smoke.stdout).toContain(`Left out: @upwire/${adapter}: it is not built.`);
    return;
  }
  for (const [peer, { bytes, messages }] of runsOf(name, peers)) {
    expect([peer, bytes]).toEqual([peer, messages * (peer === 'net' ? bare : parsed)]);
  }
});

test.each(Object.entries(compressed))('%s: every answer is compressed', (name, length) => {
  for (const { bytes, messages } of runsOf(name, compressing).values()) {
    // Text of the kind that is sent does not shrink to a twentieth, unless it is text that was sent before.
    expect(bytes / messages).toBeGreaterThan(length / 20);
    expect(bytes / messages).toBeLessThan(length * 0.9);
  }
});

test('ratios tell how many times better than ws a peer is', () => {
  const { columns } = rowOf('echo-64-deep');
  const { ws, upwire } = columns;
  expect(ws.cells.cpu.ratio).toBe(1);
  expect(upwire.cells.cpu.ratio).toBe(ws.cells.cpu.median / upwire.cells.cpu.median);
  expect(upwire.cells.rate.ratio).toBe(upwire.cells.rate.median / ws.cells.rate.median);
});

test('the adapters of others, and ws with its add-on', async () => {
  const file = join(folder, 'others.json');
  const chosen = 'handshake,adapter,echo-1k-deep';
  const others = await bench(
    '--smoke',
    '--no-build',
    '--only',
    chosen,
    '--peers',
    'ws-bufferutil',
    '--json',
    file,
  );
  expect(others.code).toBe(0);
  const { scenarios } = readResult('others.json');
  expect(scenarios.map(({ name }) => name)).toEqual([
    'echo-1k-deep',
    'handshake-bare',
    ...['express', 'fastify', 'koa'].flatMap((one) => [`handshake-${one}`, `adapter-${one}`]),
  ]);
  for (const { name, runs } of scenarios) {
    const [{ bytes, messages }] = runs['ws-bufferutil'];
    expect([name, bytes]).toEqual([name, messages * exact[name].parsed]);
  }
  expect(others.stdout).toContain('@fastify/websocket in the place of ws');
}, 120_000);

test('without Bun its column is left out, and the output says so', async () => {
  const file = join(folder, 'bun.json');
  const without = await bench(
    ...['--smoke', '--no-build', '--only', 'echo-64-deep', '--peers', 'bun,net', '--rounds', '2'],
    ...['--bun', join(folder, 'no-such-bun'), '--json', file],
  );
  expect(without.code).toBe(0);
  expect(without.stdout).toMatch(/^Left out: Bun: .*no-such-bun does not run/m);
  const { columns, runs } = rowOf('echo-64-deep', readResult('bun.json'));
  expect(Object.keys(columns)).toEqual(['net']);
  expect(runs.net).toHaveLength(2);
}, 60_000);

test('results from before make a table, Markdown and a chart', async () => {
  const svg = join(folder, 'chart.svg');
  const args = ['--from', join(folder, 'smoke.json'), '--markdown', `--svg=${svg}`];
  const again = await bench(...args);
  expect(again.code).toBe(0);
  expect(printed('echo-16k', 2, again)).toEqual(printed('echo-16k', 2));
  expect(again.stdout).toMatch(
    /^\| 16 KiB binary, 64 connections, 1 in flight \| CPU a message \| /m,
  );
  const drawing = readFileSync(svg, 'utf8');
  expect(drawing).toMatch(/^<svg .*<\/svg>\n$/s);
  // Ten scenarios are in it, eight of them with a bare socket; and the legend has one of each.
  expect(drawing.match(/<rect class="upwire"/g)).toHaveLength(10 + 1);
  expect(drawing.match(/<rect class="net"/g)).toHaveLength(8 + 1);
}, 60_000);

test('results from before go into the documents, between their marks', async () => {
  const site = join(folder, 'site');
  mkdirSync(join(site, 'docs'), { recursive: true });
  const [begin, end] = [
    '<!-- bench: written by `npm run bench -- --from … --docs` -->',
    '<!-- /bench -->',
  ];
  const documents = ['README.md', 'docs/performance.md'].map((name) => join(site, name));
  for (const file of documents) writeFileSync(file, `Before\n\n${begin}\nold\n${end}\n\nBehind\n`);
  const args = ['--from', join(folder, 'smoke.json'), `--docs=${site}`];
  // Twice: what has been written can be written again.
  for (let time = 0; time < 2; time++) expect((await bench(...args)).code).toBe(0);
  for (const file of documents) {
    const text = readFileSync(file, 'utf8');
    expect(text.startsWith(`Before\n\n${begin}\n\n`)).toBe(true);
    expect(text.endsWith(`\n\n${end}\n\nBehind\n`)).toBe(true);
    expect(text).not.toContain('old');
    expect(text).toContain('    npm run bench -- --peers ws,upwire,net --smoke\n');
  }
  const [readme, performance] = documents.map((file) => readFileSync(file, 'utf8'));
  expect(readme.match(/^\| .* \| CPU a /gm)).toHaveLength(10);
  expect(performance.match(/^\| .* \| clock \| /gm)?.length).toBeGreaterThan(20);
  expect(existsSync(join(site, 'docs', 'bench.svg'))).toBe(true);

  writeFileSync(documents[1], 'no place\n');
  const { code, stderr } = await bench(...args);
  expect(code).toBe(1);
  expect(stderr).toContain(`${documents[1]} has no place for results`);
}, 60_000);

test.each([
  [['--only', 'eco'], 'There is no scenario "eco"'],
  [['--peers', 'wss'], 'There is no peer "wss", only ws, ws-bufferutil, upwire, bun, net'],
  [['--rounds', '0'], '--rounds takes a number from 1 on, and not "0"'],
  [['--cores', '1'], '--cores takes two numbers, such as 0,1, or none, and not "1"'],
  [['--smok'], "Unknown option '--smok'"],
])('a wrong command line is refused: %j', async (args, message) => {
  const { code, stderr } = await bench(...args);
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});

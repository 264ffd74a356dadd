import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ws from 'ws';
import browser from '../src/browser';
import engine from '../src/index';

/** The names that a module's `export const { … }` gives. */
function namedExports(file: string): string[] {
  const source = readFileSync(join(__dirname, '../src', file), 'utf8');
  const [, list] = /export const \{([^}]*)\}/.exec(source) ?? [];
  return list.split(',').flatMap((name) => name.trim() || []);
}

test('require() gives the class', () => {
  expect(new engine(null)).toBeInstanceOf(engine.WebSocket);
  expect(engine.WebSocket).toBe(engine);
  expect(engine.Server).toBe(engine.WebSocketServer);
});

test('everything that ws has as a property is here, of the same kind', () => {
  const theirs: object = ws;
  const ours: object = engine;
  for (const name of Object.getOwnPropertyNames(theirs)) {
    const value: unknown = Reflect.get(theirs, name);
    expect([name, typeof Reflect.get(ours, name)]).toEqual([name, typeof value]);
    if (typeof value !== 'object' || value === null) continue;
    expect(Object.keys(Reflect.get(ours, name)).sort()).toEqual(Object.keys(value).sort());
  }
});

test('everything that an instance of ws shows is here', () => {
  const shown = (webSocket: object) => {
    const names: string[] = [];
    for (const name in webSocket) if (!name.startsWith('_')) names.push(name);
    return names;
  };
  const ours = shown(engine.prototype);
  expect(shown(ws.prototype).filter((name) => !ours.includes(name))).toEqual([]);
  for (const Class of ['WebSocket', 'WebSocketServer', 'Receiver', 'Sender'] as const) {
    const theirs: unknown = Reflect.get(ws, Class);
    if (typeof theirs !== 'function') throw new Error(`ws has no ${Class}`);
    const methods = Object.getOwnPropertyNames(theirs.prototype);
    const documented = methods.filter((name) => !name.startsWith('_'));
    const missing = documented.filter((name) => !(name in engine[Class].prototype));
    expect([Class, missing.filter((name) => !INTERNAL[Class]?.includes(name))]).toEqual([
      Class,
      [],
    ]);
  }
});

/** What only the package itself calls. */
const INTERNAL: Partial<Record<string, readonly string[]>> = {
  WebSocket: ['emitClose'],
  WebSocketServer: ['completeUpgrade'],
  Sender: ['close', 'ping', 'pong', 'send', 'dispatch', 'enqueue', 'dequeue', 'getBlobData'],
  Receiver: [
    'consume',
    'startLoop',
    'getInfo',
    'getPayloadLength16',
    'getPayloadLength64',
    'haveLength',
    'getMask',
    'getData',
    'decompress',
    'dataMessage',
    'controlMessage',
    'createError',
  ],
};

test('ES modules get every one of those names', () => {
  const script = `import * as ws from 'ws'; console.log(JSON.stringify(Object.keys(ws)))`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: join(__dirname, '../../..'),
    encoding: 'utf8',
  });
  const theirs: string[] = JSON.parse(output);
  const ours = [...namedExports('index.mts'), 'default'];
  expect(theirs.filter((name) => !ours.includes(name))).toEqual([]);
  expect(namedExports('index.mts').every((name) => name in engine)).toBe(true);
});

test('in a browser it says what to use', () => {
  expect(browser).toThrow(
    new Error(
      'ws does not work in the browser. Browser clients must use the native WebSocket object',
    ),
  );
});

test('the helpers read and write the headers', () => {
  const { extension, subprotocol } = engine;
  expect(extension.format(extension.parse('a; b=1, c'))).toBe('a; b=1, c');
  expect([...subprotocol.parse('x, y')]).toEqual(['x', 'y']);
  expect(engine.PerMessageDeflate.extensionName).toBe('permessage-deflate');
});

import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ws from 'ws';
import browser from '../src/browser';
import engine from '../src/index';
import { Faults } from '../src/protocol/errors';

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
  // Programs ask for it, and add methods to its prototype.
  expect(new engine(null)).toBeInstanceOf(EventEmitter);
  expect(new engine.WebSocketServer({ noServer: true })).toBeInstanceOf(EventEmitter);
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

/** Every name in the documentation of ws 8.23. */
const DOCUMENTED = {
  WebSocketServer: ['address', 'close', 'handleUpgrade', 'shouldHandle'],
  WebSocket: [
    'addEventListener',
    'binaryType',
    'bufferedAmount',
    'close',
    'extensions',
    'isPaused',
    'onclose',
    'onerror',
    'onmessage',
    'onopen',
    'pause',
    'ping',
    'pong',
    'protocol',
    'readyState',
    'removeEventListener',
    'resume',
    'send',
    'terminate',
    'url',
    'CONNECTING',
    'OPEN',
    'CLOSING',
    'CLOSED',
  ],
} as const;

const SERVER_OPTIONS = [
  'allowSynchronousEvents',
  'autoPong',
  'backlog',
  'clientTracking',
  'closeTimeout',
  'handleProtocols',
  'host',
  'maxBufferedChunks',
  'maxFragments',
  'maxPayload',
  'maxPendingAutoPongs',
  'noServer',
  'path',
  'perMessageDeflate',
  'port',
  'server',
  'skipUTF8Validation',
  'verifyClient',
  'WebSocket',
];

const ERROR_CODES = [
  'WS_ERR_EXPECTED_FIN',
  'WS_ERR_EXPECTED_MASK',
  'WS_ERR_INVALID_CLOSE_CODE',
  'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
  'WS_ERR_INVALID_OPCODE',
  'WS_ERR_INVALID_UTF8',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
  'WS_ERR_UNEXPECTED_MASK',
  'WS_ERR_UNEXPECTED_RSV_1',
  'WS_ERR_UNEXPECTED_RSV_2_3',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
];

test('every documented name is here', () => {
  for (const [Class, names] of Object.entries(DOCUMENTED)) {
    const { prototype } = Reflect.get(engine, Class) as { prototype: object };
    expect([Class, names.filter((name) => !(name in prototype))]).toEqual([Class, []]);
    // The list is that of ws, and not of ours.
    const theirs = Reflect.get(ws, Class) as { prototype: object };
    expect([Class, names.filter((name) => !(name in theirs.prototype))]).toEqual([Class, []]);
  }
  const server = new engine.WebSocketServer({ noServer: true });
  expect(server.clients).toBeInstanceOf(Set);
  expect(SERVER_OPTIONS.filter((name) => !(name in server.options))).toEqual([]);
  const theirs = new ws.WebSocketServer({ noServer: true }).options;
  expect(SERVER_OPTIONS.filter((name) => !(name in theirs))).toEqual([]);
  expect(Object.keys(theirs).filter((name) => !SERVER_OPTIONS.includes(name))).toEqual([]);
  const codes = Object.values(Faults).map(({ code }): string => code);
  expect(ERROR_CODES.filter((code) => !codes.includes(code))).toEqual([]);
});

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

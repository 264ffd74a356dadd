import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import engine from '../src/index';

/** A declaration file of `@types/ws`, without its comments. */
function declarations(name: string): string {
  const folder = dirname(createRequire(__filename).resolve('@types/ws/package.json'));
  return withoutComments(readFileSync(join(folder, name), 'utf8'));
}

function source(name: string): string {
  return withoutComments(readFileSync(join(__dirname, '../src', name), 'utf8'));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

/** What stands between the braces behind `head`. */
function bodyOf(text: string, head: RegExp): string {
  const start = head.exec(text);
  if (start === null) throw new Error(`Nothing matches ${head}`);
  const from = start.index + start[0].length;
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}') depth--;
    if (depth === 0) return text.slice(from, at);
  }
  throw new Error(`No end behind ${head}`);
}

/** The text at the outermost level: what is in braces or parentheses is left out. */
function outermost(text: string): string {
  let depth = 0;
  let kept = '';
  for (const character of text) {
    if ('({'.includes(character)) depth++;
    if (depth === 0) kept += character;
    if (')}'.includes(character)) {
      depth--;
      kept += ' ';
    }
  }
  return kept;
}

/** Names of the members of a class. */
function membersOf(text: string, head: RegExp): string[] {
  const found = outermost(bodyOf(text, head)).matchAll(
    /^\s*(?:static )?(?:readonly )?(\w+)(?:<[^>]*>)?\s*\??[:\s]/gm,
  );
  return unique([...found].map(([, name]) => name));
}

function unique(names: string[]): string[] {
  return [...new Set(names)].filter((name) => name !== 'constructor');
}

function eventsOf(text: string, head: RegExp): string[] {
  const parts = [...bodyOf(text, head).matchAll(/event:((?:\s*\|?\s*"[\w-]+")+)/g)];
  return unique(parts.flatMap(([, names]) => [...names.matchAll(/[\w-]+/g)].map(([it]) => it)));
}

const commonJs = declarations('index.d.ts');
const modules = declarations('index.d.mts');
const WEB_SOCKET = /declare class WebSocket extends EventEmitter \{/;
const SERVER = /class Server<[\s\S]*?> extends EventEmitter \{/;

describe('every name that @types/ws declares is here', () => {
  test('the members of a WebSocket', () => {
    const names = membersOf(commonJs, WEB_SOCKET);
    expect(names).toEqual(expect.arrayContaining(['binaryType', 'onmessage', 'send', 'OPEN']));
    expect(names.length).toBeGreaterThan(25);
    const webSocket = new engine(null);
    expect(names.filter((name) => !(name in webSocket))).toEqual([]);
  });

  test('the constants of its class', () => {
    const found = bodyOf(commonJs, WEB_SOCKET).matchAll(/static readonly (\w+)/g);
    const names = [...found].map(([, name]) => name);
    expect(names).toHaveLength(4);
    expect(names.filter((name) => !(name in engine))).toEqual([]);
  });

  test('the members of a server', () => {
    const names = membersOf(commonJs, SERVER);
    expect(names).toEqual(expect.arrayContaining(['clients', 'path', 'handleUpgrade']));
    expect(names.length).toBeGreaterThan(10);
    const server = new engine.Server({ noServer: true });
    expect(names.filter((name) => !(name in server))).toEqual([]);
  });

  test.each([
    ['a WebSocket', WEB_SOCKET, /export interface WebSocketEvents \{/, 9],
    ['a server', SERVER, /export interface WebSocketServerEvents<[^>]*> \{/, 6],
  ])('the events of %s', (_name, head, ours, count) => {
    const typed = [...bodyOf(source('events.ts'), ours).matchAll(/^\s*'?([\w-]+)'?: \[/gm)];
    const names = eventsOf(commonJs, head);
    expect(names).toHaveLength(count);
    expect(names.filter((name) => !typed.some(([, it]) => it === name))).toEqual([]);
  });

  test('the types and values of the namespace', () => {
    const namespace = outermost(bodyOf(commonJs, /declare namespace WebSocket \{/));
    const found = namespace.matchAll(/^\s*(type|interface|class|const|function) (\w+)/gm);
    const ours = bodyOf(source('index.ts'), /declare namespace WebSocket \{/);
    const types = [...ours.matchAll(/export type (\w+)/g)].map(([, name]) => name);
    const names = [...found].map(([, kind, name]) => ({ kind, name }));
    expect(names.length).toBeGreaterThan(20);
    const missing = names.filter(({ kind, name }) => {
      const isType = ['type', 'interface', 'class'].includes(kind);
      const isValue = ['class', 'const', 'function'].includes(kind);
      return (isType && !types.includes(name)) || (isValue && !(name in engine));
    });
    expect(missing).toEqual([]);
  });

  test('what is imported by its name', () => {
    const found = modules.matchAll(
      /export (?:import|declare|const|class|interface|function|\{(?: type)?) ?(\w+)/g,
    );
    const names = unique([...found].map(([, name]) => name));
    expect(names).toEqual(expect.arrayContaining(['RawData', 'Server', 'WebSocket']));
    expect(names.length).toBeGreaterThan(18);
    const own = source('index.mts');
    const [, values] = /export const \{([^}]*)\}/.exec(own) ?? [];
    const types = [...own.matchAll(/export type (\w+)/g)].map(([, name]) => name);
    const exported = [...values.split(',').map((name) => name.trim()), ...types];
    expect(names.filter((name) => !exported.includes(name))).toEqual([]);
  });
});

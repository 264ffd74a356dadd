import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebSocket, WebSocketServer } from '@upwire/engine';

// The example is plain JavaScript, as a reader would write it; this is how it looks from outside.

export interface Person {
  id: string;
  name: string;
}

export interface Message {
  type: string;
  [field: string]: unknown;
}

/** What the rooms want of a socket. */
export interface Socket {
  send(text: string): void;
  close(code: number, reason: string): void;
}

export interface Room {
  readonly name: string;
  readonly people: Person[];
  readonly history: Message[];
  say(person: Person, message: { id: string; text: string }): void;
}

export interface Rooms {
  enter(name: string, socket: Socket, person: Person): Room;
  leave(room: Room, socket: Socket): void;
  list(): { name: string; people: number }[];
  isTaken(name: string, but?: Person): boolean;
  dismiss(person: Person, code: number, reason: string): void;
}

/** The chat itself, whatever it is served by. */
export interface Chat {
  readonly rooms: Rooms;
  readonly sites: { name: string; port: number }[];
}

interface SiteOptions {
  secret?: string;
  store?: object;
  lifetime?: number;
  log?: { write(line: string): void };
}

interface Site {
  readonly name: string;
  webSocketServer(): WebSocketServer;
  listen(port: number, host: string): Server;
  close(): void;
}

type CreateSite = (chat: Chat, options: SiteOptions) => Site;

interface ChatModule {
  Chat: new () => Chat;
  LOGGED_OUT: number;
}

interface RoomsModule {
  HISTORY: number;
  Rooms: new (options?: { linger?: number }) => Rooms;
}

interface RulesModule {
  InputError: new (message: string) => Error & { status: number };
  LIMITS: { name: number; room: number; text: number };
  readName(value: unknown): string;
  readRoomName(value: unknown): string;
  readMessage(data: unknown): { id: string; text: string };
}

export const { Chat, LOGGED_OUT } = jest.requireActual<ChatModule>('../chat.js');
export const { HISTORY, Rooms } = jest.requireActual<RoomsModule>('../rooms.js');
export const rules = jest.requireActual<RulesModule>('../rules.js');

/** The frameworks that the chat is served by, each with the name of its cookie. */
export const SITES: [name: string, cookie: string][] = [
  ['Express', 'chat.express'],
  ['Fastify', 'chat.fastify'],
  ['Koa', 'chat.koa'],
];

function createSite(name: string): CreateSite {
  const module = jest.requireActual<Record<string, CreateSite>>(
    `../sites/${name.toLowerCase()}.js`,
  );
  return module[`create${name}Site`];
}

/** A site of a chat that listens, and what its log says. */
export interface RunningChat {
  readonly chat: Chat;
  readonly port: number;
  readonly log: string[];
  webSocketServer(): WebSocketServer;
  /** The server's ends of all connections. */
  webSockets(): WebSocket[];
  close(): Promise<void>;
}

/** Runs a site on a free port, or on one that another has had; it may share its chat with others. */
export async function runChat(
  name: string,
  options: SiteOptions = {},
  port = 0,
  chat: Chat = new Chat(),
): Promise<RunningChat> {
  const log: string[] = [];
  const site = createSite(name)(chat, {
    secret: 'a secret of the tests, long enough for all',
    log: { write: (line) => log.push(line.trim()) },
    ...options,
  });
  const server = site.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const listening = (server.address() as AddressInfo).port;
  chat.sites.push({ name, port: listening });
  return {
    chat,
    port: listening,
    log,
    webSocketServer: site.webSocketServer,
    webSockets: () => [...(site.webSocketServer().clients ?? [])],
    async close() {
      const closed = once(server, 'close');
      site.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type upwire from '@upwire/express';
import type { Application } from 'express';
import type { Store } from 'express-session';

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

interface ChatOptions {
  secret?: string;
  store?: Store;
  lifetime?: number;
  log?: { write(line: string): void };
}

export type Chat = Pick<upwire.Instance<Application>, 'app' | 'getWss'>;

interface AppModule {
  createChat(options?: ChatOptions): Chat;
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

export const { createChat, LOGGED_OUT } = jest.requireActual<AppModule>('../app.js');
export const { HISTORY, Rooms } = jest.requireActual<RoomsModule>('../rooms.js');
export const rules = jest.requireActual<RulesModule>('../rules.js');

/** A chat that listens, and what its log says. */
export interface RunningChat extends Chat {
  readonly port: number;
  readonly log: string[];
  /** The server's ends of all connections. */
  webSockets(): upwire.WebSocket[];
  close(): Promise<void>;
}

/** Runs a chat on a free port, or on one that another chat has had. */
export async function runChat(options: ChatOptions = {}, port = 0): Promise<RunningChat> {
  const log: string[] = [];
  const chat = createChat({ log: { write: (line) => log.push(line.trim()) }, ...options });
  const server: Server = chat.app.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...chat,
    port: (server.address() as AddressInfo).port,
    log,
    webSockets: () => [...(chat.getWss().clients ?? [])],
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

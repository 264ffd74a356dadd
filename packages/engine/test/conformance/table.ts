/** The table of cases, by group. */
import type { Conversation } from './case';
import { clientHandshakes } from './cases/client-handshake';
import { closing } from './cases/close';
import { control } from './cases/control';
import { deflate } from './cases/deflate';
import { fragmentation } from './cases/fragments';
import { lengths } from './cases/lengths';
import { clientNegotiations, serverNegotiations } from './cases/negotiation';
import { opcodes } from './cases/opcodes';
import { sending } from './cases/sending';
import { serverHandshakes } from './cases/server-handshake';
import { utf8 } from './cases/utf8';
import type { ClientHandshake, ServerHandshake } from './handshake-case';

export interface Group<Case> {
  readonly name: string;
  readonly title: string;
  readonly cases: readonly Case[];
}

/** Conversations on an established connection. */
export const conversations: readonly Group<Conversation>[] = [
  { name: 'lengths', title: 'Frame lengths', cases: lengths },
  { name: 'opcodes', title: 'Reserved bits, opcodes and masking', cases: opcodes },
  { name: 'control', title: 'Control frames', cases: control },
  { name: 'fragments', title: 'Fragments', cases: fragmentation },
  { name: 'utf8', title: 'UTF-8', cases: utf8 },
  { name: 'close', title: 'Closing', cases: closing },
  { name: 'sending', title: 'Sending', cases: sending },
  { name: 'deflate', title: 'Compressed messages', cases: deflate },
];

/** Opening handshakes that our servers are asked for. */
export const askedOfServers: readonly Group<ServerHandshake>[] = [
  { name: 'server handshakes', title: 'Opening handshake, server', cases: serverHandshakes },
  { name: 'server negotiations', title: 'Extensions, server', cases: serverNegotiations },
];

/** Opening handshakes that our client asks for. */
export const askedByClients: readonly Group<ClientHandshake>[] = [
  { name: 'client handshakes', title: 'Opening handshake, client', cases: clientHandshakes },
  { name: 'client negotiations', title: 'Extensions, client', cases: clientNegotiations },
];

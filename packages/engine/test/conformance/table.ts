/** The table of cases, by group. */
import type { Conversation } from './case';
import { clientHandshakes } from './cases/client-handshake';
import { clientNegotiations } from './cases/client-negotiation';
import { closing } from './cases/close';
import { closingOurselves } from './cases/close-own';
import { control } from './cases/control';
import { deflateExamples } from './cases/deflate';
import { deflateParameters } from './cases/deflate-parameters';
import { fragmentation } from './cases/fragments';
import { lengths } from './cases/lengths';
import { opcodes } from './cases/opcodes';
import { sending } from './cases/sending';
import { serverChoices } from './cases/server-choice';
import { serverHandshakes } from './cases/server-handshake';
import { serverNegotiations } from './cases/server-negotiation';
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
  { name: 'close', title: 'Closing', cases: [...closing, ...closingOurselves] },
  { name: 'sending', title: 'Sending', cases: sending },
  {
    name: 'deflate',
    title: 'Compressed messages',
    cases: [...deflateExamples, ...deflateParameters],
  },
];

/** Opening handshakes that our servers are asked for. */
export const askedOfServers: readonly Group<ServerHandshake>[] = [
  {
    name: 'server handshakes',
    title: 'Opening handshake, server',
    cases: [...serverHandshakes, ...serverChoices],
  },
  { name: 'server negotiations', title: 'Extensions, server', cases: serverNegotiations },
];

/** Opening handshakes that our client asks for. */
export const askedByClients: readonly Group<ClientHandshake>[] = [
  { name: 'client handshakes', title: 'Opening handshake, client', cases: clientHandshakes },
  { name: 'client negotiations', title: 'Extensions, client', cases: clientNegotiations },
];

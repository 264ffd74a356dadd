import { CLOSE } from '../support/frames';
import type { Conversation, FramePart, Role, Step } from './case';

export function closeBody(code: number, reason: Buffer | string = ''): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

export const closeFrame = (code: number, reason?: Buffer | string): FramePart => ({
  opcode: CLOSE,
  payload: closeBody(code, reason),
});

/** The peer closes: it is answered, and TCP is ended by the server. */
export function closed(role: Role, frame: FramePart, wire: string, told: string): Step[] {
  if (role === 'server') return [{ peer: [frame], wire: [wire, 'end'], told: [told] }];
  return [
    { peer: [frame], wire: [wire] },
    { peer: 'end', wire: ['end'], told: [told] },
  ];
}

/** A case of each role, for the two end differently. */
export function forBoth(
  id: string,
  clauses: string[],
  title: string,
  steps: (role: Role) => Step[],
): Conversation[] {
  return (['server', 'client'] as const).map((role) => ({
    id: `${id}-${role}`,
    clauses: [...clauses, role === 'server' ? '7.1.1 server first' : '7.1.1 client waits'],
    title,
    roles: [role],
    steps: steps(role),
  }));
}

/** Those that a close frame may have. */
export const VALID_CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];

import type { Clause } from './clause';
import { deflate } from './deflate';
import { framing } from './framing';
import { opening } from './opening';
import { security } from './security';

export interface Standard {
  readonly title: string;
  readonly clauses: readonly Clause[];
}

/** Every MUST and SHOULD of the standards that binds one of the two ends, and those that do not, with the reason. */
export const standards: readonly Standard[] = [
  { title: 'RFC 6455 3 and 4: the opening handshake', clauses: opening },
  { title: 'RFC 6455 5 to 8: frames, messages, closing', clauses: framing },
  { title: 'RFC 6455 9 to 11: extensions, security, headers', clauses: security },
  { title: 'RFC 7692: permessage-deflate', clauses: deflate },
];

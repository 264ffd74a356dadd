import type { Clause } from './clause';
import { deflate } from './deflate';
import { framing } from './framing';
import { opening } from './opening';

export interface Standard {
  readonly title: string;
  readonly clauses: readonly Clause[];
}

/** Every MUST and SHOULD of the standards that binds one of the two ends, and those that do not, with the reason. */
export const standards: readonly Standard[] = [
  { title: 'RFC 6455: the opening handshake, extensions, security', clauses: opening },
  { title: 'RFC 6455: frames, messages, closing', clauses: framing },
  { title: 'RFC 7692: permessage-deflate', clauses: deflate },
];

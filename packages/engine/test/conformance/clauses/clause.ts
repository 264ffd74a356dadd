import type { Role } from '../case';

/** Where a clause is tested outside of the table: a file of this package's tests, and a text that stands in it. */
export interface Elsewhere {
  readonly file: string;
  readonly test: string;
}

/** One thing that a standard asks for, in our words. */
export interface Clause {
  /** The section and a word or two; those of RFC 7692 begin with `7692`. */
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD' | 'MAY';
  /** Whom it binds. */
  readonly role: Role | 'both' | 'other';
  readonly says: string;
  readonly elsewhere?: readonly Elsewhere[];
  /** Why there is nothing to test, or what to know beside the tests. */
  readonly note?: string;
}

export type Row = readonly [
  id: string,
  level: Clause['level'],
  role: Clause['role'],
  says: string,
  more?: Pick<Clause, 'elsewhere' | 'note'>,
];

export function clausesOf(rows: readonly Row[]): Clause[] {
  return rows.map(([id, level, role, says, more]) => ({ id, level, role, says, ...more }));
}

export function elsewhere(file: string, test: string): Elsewhere {
  return { file, test };
}

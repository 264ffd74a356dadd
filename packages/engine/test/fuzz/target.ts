import type { Choices } from './choices';

/** What is fed with inputs. */
export interface Target {
  readonly name: string;
  /** Its part of the time, beside those of the others. */
  readonly share: number;
  /**
   * Makes one input of choices, tries it, and leaves nothing behind.
   *
   * @throws Error, or rejects, where the outcome is none that is documented
   */
  run(choices: Choices): void | Promise<void>;
}

/** What is not as it should be; `values` are shown. */
export class Finding extends Error {
  constructor(message: string, ...values: unknown[]) {
    super([message, ...values.map((value) => JSON.stringify(value))].join('\n'));
  }
}

/** Throws a {@link Finding} unless two values are the same as JSON. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Finding(`${what} differs`, actual, expected);
}

import { show } from './show';
import { FieldReader, isToken } from './tokens';

/**
 * How a server picks the subprotocol: its own names, the one it likes best first, or a function that is given
 * what the client offered and answers one of those names, or something falsy for none.
 */
export type SubprotocolChoice<Request> =
  | readonly string[]
  | ((offered: Set<string>, request: Request) => string | false | null | undefined);

/**
 * Reads a `Sec-WebSocket-Protocol` header of a request (RFC 6455 11.3.4): the names in the client's order.
 * Same results and texts as `subprotocol.parse` of `ws`.
 *
 * @throws SyntaxError `Unexpected character at index N`, `Unexpected end of input`, or
 *   `The "x" subprotocol is duplicated` (RFC 6455 4.1 (10): the names are unique).
 */
export function parseSubprotocols(header: string): Set<string> {
  const reader = new FieldReader(header);
  const names = new Set<string>();
  for (;;) {
    const name = reader.token();
    const separator = reader.separator(',');
    if (names.has(name)) throw new SyntaxError(`The "${name}" subprotocol is duplicated`);
    names.add(name);
    if (separator === '') return names;
  }
}

/**
 * Checks a choice when the server is made, long before a client connects.
 *
 * @param option - the name the choice has in the caller's options, for the error text
 * @throws TypeError when it is neither a function nor a list of unique tokens.
 */
export function checkSubprotocolChoice(choice: unknown, option: string): void {
  if (typeof choice === 'function') return;
  if (!Array.isArray(choice)) {
    throw new TypeError(
      `The option "${option}" must be a list of subprotocols or a function, got ${show(choice)}`,
    );
  }
  const names = new Set<unknown>();
  for (const name of choice) {
    if (typeof name !== 'string' || !isToken(name)) {
      throw new TypeError(
        `The option "${option}" holds ${show(name)}, which is not a token (RFC 6455 11.3.4)`,
      );
    }
    if (names.has(name)) throw new TypeError(`The option "${option}" holds ${show(name)} twice`);
    names.add(name);
  }
}

/**
 * The subprotocol of a connection: one the client offered, or `false` for none and then no header in the 101
 * (RFC 6455 4.2.2 (4), /subprotocol/). With no choice it is the client's first. A function is asked only when
 * something was offered.
 *
 * @param option - the name the choice has in the caller's options, for the error text
 * @throws TypeError when the function answers something that was not offered. What the function itself throws
 *   goes through.
 */
export function selectSubprotocol<Request>(
  offered: ReadonlySet<string>,
  choice: SubprotocolChoice<Request> | null | undefined,
  request: Request,
  option = 'handleProtocols',
): string | false {
  if (offered.size === 0) return false;
  if (choice === null || choice === undefined) {
    const [first] = offered;
    return first;
  }
  if (typeof choice !== 'function') return choice.find((name) => offered.has(name)) ?? false;
  // A copy: a name that the application adds to its set does not become an offered one.
  const selected: unknown = choice(new Set(offered), request);
  if (!selected) return false;
  if (typeof selected === 'string' && offered.has(selected)) return selected;
  throw new TypeError(
    `The option "${option}" answered ${show(selected)}, which the client did not offer ` +
      '(RFC 6455 4.2.2)',
  );
}

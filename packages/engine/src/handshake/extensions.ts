import { show } from './show';
import { FieldReader, isToken } from './tokens';

/** The values one parameter was given, in order; `true` stands for a name without a value. */
export type ExtensionParameters = Record<string, (string | true)[]>;

/**
 * What a `Sec-WebSocket-Extensions` header says: each name with the parameters of each time it stands there.
 * These objects have no prototype, so `__proto__` and `constructor` are names like any other.
 */
export type ExtensionOffers = Record<string, ExtensionParameters[]>;

type ParameterValue = string | number | true;
type FormattedParameters = Readonly<Record<string, ParameterValue | readonly ParameterValue[]>>;

/** What {@link formatExtensions} takes: as {@link ExtensionOffers}, where a list of one may be the item itself. */
export type FormattableOffers = Readonly<
  Record<string, FormattedParameters | readonly FormattedParameters[]>
>;

/**
 * Reads a `Sec-WebSocket-Extensions` header (RFC 6455 9.1). Same results and texts as `extension.parse` of `ws`.
 *
 * @throws SyntaxError `Unexpected character at index N` or `Unexpected end of input`.
 */
export function parseExtensions(header: string): ExtensionOffers {
  const reader = new FieldReader(header);
  const offers: ExtensionOffers = Object.create(null);
  for (;;) {
    const name = reader.token();
    const parameters: ExtensionParameters = Object.create(null);
    let separator = reader.separator(',;');
    while (separator === ';') {
      const parameter = reader.token();
      const value = reader.take('=') ? reader.tokenOrQuotedToken() : true;
      append(parameters, parameter, value);
      separator = reader.separator(',;');
    }
    append(offers, name, parameters);
    if (separator === '') return offers;
  }
}

function append<Item>(lists: Record<string, Item[]>, name: string, item: Item): void {
  const list = lists[name];
  if (list === undefined) lists[name] = [item];
  else list.push(item);
}

/**
 * Writes a `Sec-WebSocket-Extensions` header (RFC 6455 9.1): `name; flag; parameter=value, name`.
 * Values are written as tokens, never quoted: that is what peers read most widely.
 *
 * @throws TypeError when a name or value is not a token, and so could not be read back.
 */
export function formatExtensions(offers: FormattableOffers): string {
  const members: string[] = [];
  for (const [name, configurations] of Object.entries(offers)) {
    checkToken(name, name);
    for (const configuration of asList(configurations)) {
      members.push(formatMember(name, configuration));
    }
  }
  return members.join(', ');
}

function formatMember(name: string, parameters: FormattedParameters): string {
  let member = name;
  for (const [parameter, values] of Object.entries(parameters)) {
    checkToken(name, parameter);
    for (const value of asList(values)) {
      if (value !== true) checkToken(name, typeof value === 'number' ? String(value) : value);
      member += value === true ? `; ${parameter}` : `; ${parameter}=${value}`;
    }
  }
  return member;
}

function asList<Item>(items: Item | readonly Item[]): readonly Item[] {
  // `Array.isArray` does not narrow a readonly list away, hence the cast.
  return Array.isArray(items) ? items : [items as Item];
}

function checkToken(extension: string, value: unknown): void {
  if (typeof value === 'string' && isToken(value)) return;
  throw new TypeError(
    `The extension ${show(extension)} cannot be written: ${show(value)} is not a token (RFC 6455 9.1)`,
  );
}

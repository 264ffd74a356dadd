import { show } from './show';

/** 1 at the code of every character a token may hold (RFC 9110 5.6.2, tchar). */
const TOKEN_CHARACTERS = new Uint8Array(128);
for (const character of "!#$%&'*+-.^_`|~0123456789") {
  TOKEN_CHARACTERS[character.charCodeAt(0)] = 1;
}
for (let letter = 0; letter < 26; letter += 1) {
  TOKEN_CHARACTERS[0x41 + letter] = 1;
  TOKEN_CHARACTERS[0x61 + letter] = 1;
}

/** HTAB, SP, VCHAR and obs-text: what a field value may hold, and so no CR, LF or NUL. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether the UTF-16 code unit `code` is a token character (RFC 9110 5.6.2). */
export function isTokenCode(code: number): boolean {
  return TOKEN_CHARACTERS[code] === 1;
}

/** Whether `value` is a token (RFC 9110 5.6.2): at least one character, all of them tchar. */
export function isToken(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    if (!isTokenCode(value.charCodeAt(index))) return false;
  }
  return value.length > 0;
}

/**
 * Whether `value` can stand in a header field without ending it or starting another (RFC 9110 5.5).
 * Space at either end is allowed: whoever reads the field takes it off.
 */
export function isFieldValue(value: string): boolean {
  return FIELD_VALUE.test(value);
}

/** Whether the UTF-16 code unit `code` is optional white space: SP or HTAB (RFC 9110 5.6.3, OWS). */
function isWhitespaceCode(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * Whether the comma list `list` has the token `member`, in any ASCII case. Empty members are passed over
 * (RFC 9110 5.6.1.2), so that a list which a proxy has joined badly still counts.
 *
 * @param member - a token in lower case
 */
export function listIncludes(list: string, member: string): boolean {
  for (let start = 0; start <= list.length; ) {
    const comma = list.indexOf(',', start);
    const next = comma === -1 ? list.length : comma;
    let end = next;
    while (start < end && isWhitespaceCode(list.charCodeAt(start))) start += 1;
    while (start < end && isWhitespaceCode(list.charCodeAt(end - 1))) end -= 1;
    if (end - start === member.length) {
      const candidate = list.slice(start, end);
      // Only a token may be folded: outside ASCII `toLowerCase` makes a "k" of the Kelvin sign.
      if (isToken(candidate) && candidate.toLowerCase() === member) return true;
    }
    start = next + 1;
  }
  return false;
}

/**
 * Reads a header field from left to right, each character once: no input makes it go back.
 * Whatever does not fit the grammar throws a `SyntaxError` with one of two texts,
 * `Unexpected character at index N` (N in UTF-16 code units) and `Unexpected end of input`.
 */
export class FieldReader {
  private readonly text: string;
  private index = 0;

  /** @throws TypeError when `text` is not a string. */
  constructor(text: string) {
    if (typeof text !== 'string') {
      throw new TypeError(`The header must be a string, got ${show(text)}`);
    }
    this.text = text;
  }

  /** Reads a token (RFC 9110 5.6.2). */
  token(): string {
    const start = this.index;
    while (isTokenCode(this.text.charCodeAt(this.index))) this.index += 1;
    if (this.index === start) throw this.unexpected();
    return this.text.slice(start, this.index);
  }

  /**
   * Reads a token or a quoted string. What is quoted must be a token once its escapes are gone (RFC 6455 9.1),
   * so the error stands at the first character that is not.
   */
  tokenOrQuotedToken(): string {
    if (!this.take('"')) return this.token();
    const start = this.index;
    while (this.index === start || this.text[this.index] !== '"') {
      if (this.text[this.index] === '\\') this.index += 1;
      if (!isTokenCode(this.text.charCodeAt(this.index))) throw this.unexpected();
      this.index += 1;
    }
    const quoted = this.text.slice(start, this.index);
    this.index += 1;
    // No token character is a backslash, so each one left is an escape (RFC 9110 5.6.4, quoted-pair).
    return quoted.replaceAll('\\', '');
  }

  /** Moves past `character` if it comes next, and says whether it did. */
  take(character: string): boolean {
    if (this.text[this.index] !== character) return false;
    this.index += 1;
    return true;
  }

  /**
   * Reads one of `separators` with the white space around it; `''` at the end of the text. White space that
   * nothing follows is an error: a field value ends with its last visible character (RFC 9110 5.5).
   */
  separator(separators: string): string {
    if (this.index === this.text.length) return '';
    this.skipWhitespace();
    const found = this.text.charAt(this.index);
    if (found === '' || !separators.includes(found)) throw this.unexpected();
    this.index += 1;
    this.skipWhitespace();
    return found;
  }

  private skipWhitespace(): void {
    while (isWhitespaceCode(this.text.charCodeAt(this.index))) this.index += 1;
  }

  private unexpected(): SyntaxError {
    return new SyntaxError(
      this.index < this.text.length
        ? `Unexpected character at index ${this.index}`
        : 'Unexpected end of input',
    );
  }
}

import type { IncomingMessage } from 'node:http';

/** The part of a request that an opening handshake is judged by. */
export type HandshakeRequest = Pick<
  IncomingMessage,
  'method' | 'httpVersionMajor' | 'httpVersionMinor' | 'headers'
> &
  Partial<Pick<IncomingMessage, 'rawHeaders'>>;

/** Where headers stand: requests and responses alike. */
export type HeaderSource = Pick<HandshakeRequest, 'headers' | 'rawHeaders'>;

/**
 * The value of the header `name` (in lower case), `undefined` when there is none. A value that is not a string
 * counts as none: `headers` belongs to the application, which may have put anything there.
 */
export function headerValue(request: HeaderSource, name: string): string | undefined {
  const value: unknown = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * The value of each line the header `name` (in lower case) was sent in. `headers` does not tell: Node drops a
 * second `Host`, and every header behind `maxHeadersCount`. A request that was not read from a socket may
 * have no lines; then what stands in `headers` is the one line.
 */
export function headerLines(request: HeaderSource, name: string): string[] {
  const raw = request.rawHeaders ?? [];
  const lines: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index].length === name.length && raw[index].toLowerCase() === name) {
      lines.push(raw[index + 1]);
    }
  }
  if (lines.length > 0) return lines;
  const value = headerValue(request, name);
  return value === undefined ? [] : [value];
}

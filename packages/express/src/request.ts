import type { IncomingMessage } from 'node:http';

/** What Express, its router and their way to parse addresses set on a request. */
type RequestInside = IncomingMessage & {
  res?: unknown;
  next?: unknown;
  originalUrl?: unknown;
  baseUrl?: unknown;
  params?: unknown;
  route?: unknown;
  _parsedUrl?: unknown;
  _parsedOriginalUrl?: unknown;
};

/**
 * Makes room on a request for what Express is going to set, while it still inherits from Node's alone: behind the change of
 * its prototype, the V8 of Node 20 makes a form for this one request with each new property (ADR 27). To Express,
 * `undefined` is what is not there.
 */
export function reserveProperties(request: RequestInside): void {
  request.res ??= undefined;
  request.next ??= undefined;
  request.originalUrl ??= undefined;
  request.baseUrl ??= undefined;
  request.params ??= undefined;
  request.route ??= undefined;
  request._parsedUrl ??= undefined;
  request._parsedOriginalUrl ??= undefined;
}

// The packages come without types; this is what the tests use of them.
declare module 'faye-websocket' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  interface Options {
    extensions?: readonly unknown[];
    maxLength?: number;
    ca?: Buffer;
  }

  class Api extends EventEmitter {
    readonly protocol: string;
    send(data: string | Buffer): boolean;
    ping(payload: string, callback: () => void): boolean;
    close(code?: number, reason?: string): void;
    end(): void;
  }

  class WebSocket extends Api {
    static readonly Client: new (
      url: string,
      protocols: readonly string[],
      options: Options,
    ) => Api;
    static isWebSocket(request: IncomingMessage): boolean;
    constructor(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      protocols: readonly string[],
      options: Options,
    );
  }

  export = WebSocket;
}

declare module 'permessage-deflate' {
  const extension: unknown;
  export = extension;
}

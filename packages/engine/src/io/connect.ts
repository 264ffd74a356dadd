import type { Agent, ClientRequest, ClientRequestArgs } from 'node:http';
import { globalAgent as httpAgent } from 'node:http';
import { globalAgent as httpsAgent } from 'node:https';
import type { TcpNetConnectOpts } from 'node:net';
import { isIP, connect as netConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { connect as tlsConnect } from 'node:tls';
import type { Turn } from './handshake-queue';

/** Opens the socket of a request: returns it, or calls back with it. */
export type CreateConnection = (
  options: ClientRequestArgs,
  oncreate: (error: Error | null, socket: Duplex) => void,
) => Duplex | null | undefined;

/** Connects to the host, or to the local socket, that a request is for. */
export const connectPlain: CreateConnection = (options) =>
  // The options of a request are those of its socket too, but for `path`, which means a local socket there.
  netConnect({ ...options, path: options.socketPath } as TcpNetConnectOpts);

/** As {@link connectPlain}, with TLS. Names the host to the server (RFC 6455 4.1 (5): SNI), which an address cannot. */
export const connectSecure: CreateConnection = (options) => {
  // The options of a secure request have those of TLS among them.
  const given = { ...options, path: options.socketPath } as ConnectionOptions;
  const { host = '' } = given;
  return tlsConnect({
    ...given,
    servername: given.servername ?? (isIP(host) === 0 ? host : ''),
    // HTTP/1.1 is what the handshake speaks; Node's own agent says so too.
    ALPNProtocols: given.ALPNProtocols ?? ['http/1.1'],
  });
};

/**
 * Node's own agent where it is told to find a proxy in the environment (`NODE_USE_ENV_PROXY`, `--use-env-proxy`);
 * `undefined` otherwise, and in a Node that knows no such thing.
 */
export function environmentProxyAgent(secure: boolean): Agent | undefined {
  const agent: Agent & { options?: { proxyEnv?: unknown } } = secure ? httpsAgent : httpAgent;
  return agent.options?.proxyEnv === undefined ? undefined : agent;
}

/** Has `create` called when the turn comes. */
export function connectInTurn(create: CreateConnection, turn: Turn): CreateConnection {
  if (turn.hasCome) return create;
  return (options, oncreate) => {
    turn.wait(() => {
      try {
        const socket = create(options, oncreate);
        if (socket) oncreate(null, socket);
      } catch (error) {
        // `oncreate` looks at the socket only where there is no error.
        oncreate(asError(error), undefined as unknown as Duplex);
      }
    });
    return undefined;
  };
}

/** What Node's requests call of an agent. */
interface RequestAgent extends Agent {
  addRequest(request: ClientRequest, ...rest: unknown[]): void;
}

/** Stands in for `agent` and has it called when the turn comes. */
export function agentInTurn(agent: Agent, turn: Turn): Agent {
  if (turn.hasCome || typeof (agent as RequestAgent).addRequest !== 'function') return agent;
  // Agents that are not Node's own need no more of a class than this; only `addRequest` is ours to change.
  const real = agent as RequestAgent;
  const addRequest = (request: ClientRequest & { agent?: Agent }, ...rest: unknown[]): void =>
    turn.wait(() => {
      if (request.destroyed) return;
      request.agent = real;
      try {
        real.addRequest(request, ...rest);
      } catch (error) {
        request.emit('error', asError(error));
      }
    });
  return new Proxy(real, {
    // Getters run on the agent itself, which may have private fields.
    get: (target, name) => (name === 'addRequest' ? addRequest : Reflect.get(target, name)),
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

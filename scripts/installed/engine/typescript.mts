import assert from 'node:assert';
import type { AddressInfo } from 'node:net';
import type * as types from '@upwire/engine';
import type {
  CloseDetails,
  CloseEvent,
  RawData,
  ServerOptions,
  VerifyClientCallbackAsync,
  WebSocketEvents,
  WebSocketPair,
} from '@upwire/engine';
import WebSocket, { createPair, WebSocketServer } from '@upwire/engine';
import { checkEcho } from './echo.cjs';

/** The types that are not used below. */
export type Others = [
  ...[types.BinaryType, types.BroadcastOptions, types.Broker, types.BufferLike, types.CertMeta],
  ...[types.ClientOptions, types.Data, types.ErrorEvent, types.Event, types.EventListenerOptions],
  ...[types.FinishRequestCallback, types.FrameOptions, types.MemoryBroker, types.MessageEvent],
  ...[types.PairOptions, types.PerMessageDeflate, types.PerMessageDeflateOptions],
  ...[types.PerMessageDeflateSettings, types.PreparedMessage, types.PrepareData],
  ...[types.PrepareOptions, types.ReadableChunk, types.Receiver, types.ReceiverOptions],
  ...[types.Sender, types.SendOptions, types.UpgradeAcceptance, types.UpgradeDecision],
  ...[types.UpgradeRefusal, types.VerifyClientCallback, types.VerifyClientCallbackSync],
  ...[types.VerifyClientInfo, types.WebSocketEventMap, types.WebSocketStreamOptions],
  ...[types.WebSocketStreams, types.WritableChunk],
];

const verifyClient: VerifyClientCallbackAsync = ({ origin }, callback) => callback(!origin);
const options: ServerOptions = { port: 0, host: '127.0.0.1', verifyClient };
const server = new WebSocketServer({ ...options, onUpgrade: () => ({ data: { user: 'ada' } }) });

server.on('connection', (webSocket) => {
  const { user }: { user: string } = webSocket.data;
  assert.equal(user, 'ada');
  if (webSocket.readyState !== WebSocket.OPEN) throw new Error('not open');
  webSocket.onclose = ({ code, target }: CloseEvent) => {
    const told: WebSocketEvents['close'] = [code, Buffer.from(target.protocol)];
    assert.equal(told[0], 1000);
  };
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    webSocket.send(data, { binary: isBinary });
  });
});

// @ts-expect-error the declarations are in force: a path is no number
assert.throws(() => new WebSocketServer({ noServer: true, path: 1 }), TypeError);

server.on('listening', async () => {
  await checkEcho((server.address() as AddressInfo).port, '/');
  server.close();
});

const pair: WebSocketPair = createPair({ protocol: 'chat' });
pair.client.send(pair.client.protocol);
for await (const message of pair.server) {
  if (typeof message !== 'string') throw new Error('not text');
  assert.equal(message.trim(), 'chat');
  break;
}
await pair.server.streams.writable.close();
const details: CloseDetails = await pair.client.closed;
assert.equal(details.code, 1000);
